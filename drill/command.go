// SPDX-License-Identifier: Apache-2.0

package drill

import (
	"regexp"
	"strconv"
	"strings"
)

var (
	setsFile = regexp.MustCompile(`/proc/sys/(net/\S+?)=("[^"]*"|\S+)`)
	setsName = regexp.MustCompile(`\b(net\.[a-z0-9._]+)="?([^"\n]*?)"?(?:\s|$)`)
	// harmless are commands that prepare or look at the machine in ways that are nothing here.
	harmless = regexp.MustCompile(`^(\S*/tmp/sysctl_restore_\S*|ip tcp_metrics flush all.*|nstat.*|sleep.*|grep.*|ethtool.*|)$`)
)

// command does what a shell's command would have done to the host: it sets sysctls.
func (w *world) command(text string) error {
	for row := range strings.SplitSeq(text, "\n") {
		row = strings.TrimSpace(row)
		switch {
		case harmless.MatchString(row):
		case strings.HasSuffix(row, "defaults.sh"):
			for _, d := range defaults {
				w.sysctl(d[0], d[1])
			}
		case strings.Contains(row, "set_sysctls"):
			for _, m := range setsFile.FindAllStringSubmatch(row, -1) {
				w.sysctl(strings.ReplaceAll(m[1], "/", "."), strings.Trim(m[2], `"`))
			}
		case strings.HasPrefix(row, "sysctl"):
			for _, m := range setsName.FindAllStringSubmatch(row, -1) {
				w.sysctl(m[1], m[2])
			}
		default:
			return notRun("the command %s", row)
		}
	}
	return nil
}

// sysctl sets what the host knows, and notes what it does not.
func (w *world) sysctl(name, value string) {
	if n, err := strconv.ParseInt(value, 0, 64); err == nil {
		if name == "net.ipv4.tcp_fastopen" {
			n &= 0xffff // the suite has bits that no kernel has
		}
		value = strconv.FormatInt(n, 10)
	}
	if err := w.host.SetSysctl(name, value); err != nil {
		w.ignored = append(w.ignored, name+"="+value)
	}
}

// defaults are what the suite's defaults.sh sets, as far as the host knows it.
var defaults = [][2]string{
	{"net.ipv4.tcp_syn_retries", "5"},
	{"net.ipv4.tcp_synack_retries", "5"},
	{"net.ipv4.tcp_fastopen", "0x403"},
	{"net.ipv4.tcp_rmem", "4096 540000 15728640"},
	{"net.ipv4.tcp_wmem", "4096 262144 4194304"},
}
