// SPDX-License-Identifier: Apache-2.0

package dialtone_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// floors is the house: a package imports only lower floors (or its own subpackages). A package that is not listed is an
// edge: it may import everything below, and nothing may import it but the command, which has verbs for the edges.
var floors = map[string]int{
	"errno": 0, "sockaddr": 0, "wire": 0, "clock": 0, "personality": 0,
	"trail": 1, "link": 1, "selinux": 1, "firewall": 1, "tcp": 1,
	"socket":     2,
	"unixdomain": 3, "inet": 3, "mac": 3, "landlock": 3, "netlink": 3, "packet": 3, "vsock": 3,
	"":         4,
	"scenario": 5, "supervisor": 5, "drill": 5, "capture": 5,
	"cmd": 7,
}

const edge = 6

// beside are packages of floor 0 that may import others of it: facts are written in its words.
var beside = map[string][]string{"personality": {"errno"}}

// floorOf returns the floor of a package of this module, and the part of the house it belongs to.
func floorOf(path string) (floor int, part string) {
	part, _, _ = strings.Cut(strings.TrimPrefix(strings.TrimPrefix(path, "dialtone"), "/"), "/")
	if f, ok := floors[part]; ok {
		return f, part
	}
	return edge, part
}

func TestFloors(t *testing.T) {
	for _, p := range packages(t) {
		floor, part := floorOf(p.ImportPath)
		for _, i := range p.Imports {
			if !strings.HasPrefix(i, "dialtone") {
				if floor <= 4 && outside(i) {
					t.Errorf("%s imports %s: floors 0 to 4 stand on the standard library and x/sys", p.ImportPath, i)
				}
				continue
			}
			below, other := floorOf(i)
			allowed := below < floor || part == other
			for _, b := range beside[part] {
				allowed = allowed || b == other
			}
			if !allowed {
				t.Errorf("%s (floor %d) imports %s (floor %d): a floor imports only lower ones", p.ImportPath, floor, i, below)
			}
		}
	}
}

// The pure packages touch neither the system nor the time.
func TestPurePackages(t *testing.T) {
	forbidden := []string{"os", "net", "syscall", "sync", "golang.org/x/sys/unix", "dialtone/clock"}
	pure := map[string]bool{"dialtone/tcp": true, "dialtone/firewall": true, "dialtone/selinux": true}
	seen := 0
	for _, p := range packages(t) {
		if !pure[p.ImportPath] {
			continue
		}
		seen++
		for _, i := range p.Imports {
			for _, f := range forbidden {
				if i == f {
					t.Errorf("%s is pure and imports %s", p.ImportPath, i)
				}
			}
		}
	}
	if seen != len(pure) {
		t.Errorf("found %d of %d pure packages", seen, len(pure))
	}
}

type goPackage struct {
	ImportPath string
	Imports    []string
	Module     *struct{ Path string }
}

func packages(t *testing.T) []goPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,Module", "./...").Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %s", exit.Stderr)
		}
		t.Fatal(err)
	}
	var all []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 10 {
		t.Fatalf("go list found %d packages", len(all))
	}
	return all
}

// outside reports whether an import is neither of the standard library nor x/sys.
func outside(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return strings.Contains(first, ".") && !strings.HasPrefix(path, "golang.org/x/sys/")
}
