// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"

	"dialtone/conformance"
	"dialtone/conformance/dialtonearm"
)

type conformVerb struct {
	Kernel      bool   `xor:"kernel" help:"Put the cases to the running kernel as well (as root; needs ip and nft)."`
	Case        string `xor:"case" placeholder:"ID" help:"Only cases with this id (* stands for anything), each as a transcript."`
	Cases       string `xor:"cases" placeholder:"PATH" help:"Cases from this file, or all *.txt files below this directory, instead of dialtone's own."`
	Personality string `xor:"personality" placeholder:"NAME" help:"Only answers of this personality (linux, darwin, ...)."`
	JSON        bool   `xor:"json" name:"json" help:"Print one JSON object for each run of a case."`
	Markdown    bool   `xor:"kernel,case,cases,personality,json" help:"Print docs/conformance.md."`
}

// Help is what --help adds.
func (*conformVerb) Help() string {
	return `Cases are scripts of socket calls with their answers; docs/conformance-format.md describes them. A case may leave
answers out: with --kernel the running kernel's and dialtone's are then compared, call by call.

Exit status 1: a case differs, and conformance/differences.txt does not say why.`
}

// Run puts the cases to the arms and prints what came of it.
func (v *conformVerb) Run(out *output) error {
	cases, err := v.load()
	if err != nil {
		return err
	}
	known, err := conformance.Differences()
	if err != nil {
		return err
	}
	var kernel conformance.Arm
	if v.Kernel {
		arm, done, err := openKernel()
		if err != nil {
			return err
		}
		defer done()
		kernel = arm
	}
	reports, err := v.put(cases, kernel)
	if err != nil {
		return err
	}
	switch {
	case v.Markdown:
		err = conformance.WriteDocument(out.stdout, cases, reports)
	case v.JSON:
		err = writeRecords(out.stdout, reports)
	case v.Case != "" || v.Cases != "":
		err = writeTranscripts(out.stdout, reports)
	default:
		err = writeMatrix(out.stdout, reports, known)
	}
	if err == nil && !v.JSON && !v.Markdown {
		err = writeExplained(out.stdout, reports, known)
	}
	if err != nil {
		return err
	}
	differ := unexplained(reports, known)
	for _, r := range differ {
		if !v.JSON && !v.Markdown && v.Case == "" && v.Cases == "" {
			fmt.Fprintf(out.stdout, "\n%v", r)
		}
	}
	compared, err := v.compare(out, reports, kernel)
	if err != nil {
		return err
	}
	if len(differ)+compared > 0 {
		return exitStatus{status: 1}
	}
	return nil
}

// load returns the cases asked for.
func (v *conformVerb) load() ([]*conformance.Case, error) {
	all, err := v.read()
	if err != nil || v.Case == "" {
		return all, err
	}
	var some []*conformance.Case
	for _, c := range all {
		ok, err := path.Match(v.Case, c.ID)
		if err != nil {
			return nil, fmt.Errorf("--case %s: %w", v.Case, err)
		}
		if ok {
			some = append(some, c)
		}
	}
	if len(some) == 0 {
		return nil, fmt.Errorf("--case %s: there is no such case", v.Case)
	}
	return some, nil
}

func (v *conformVerb) read() ([]*conformance.Case, error) {
	if v.Cases == "" {
		return conformance.Corpus()
	}
	info, err := os.Stat(v.Cases)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return conformance.Load(os.DirFS(v.Cases), ".")
	}
	if filepath.Ext(v.Cases) == ".txt" {
		return conformance.Load(os.DirFS(filepath.Dir(v.Cases)), filepath.Base(v.Cases))
	}
	script, err := os.ReadFile(v.Cases)
	if err != nil {
		return nil, err
	}
	return conformance.Parse(v.Cases, string(script))
}

// put runs the cases: in process as each personality they have answers for, on the kernel as linux.
func (v *conformVerb) put(cases []*conformance.Case, kernel conformance.Arm) ([]*conformance.Report, error) {
	var all []*conformance.Report
	for _, p := range conformance.Personalities(cases) {
		if v.Personality != "" && v.Personality != p {
			continue
		}
		reports, err := conformance.RunAll(dialtonearm.Arm{}, conformance.Of(cases, p), p, 2, nil)
		all = append(all, reports...)
		if err != nil {
			return all, err
		}
	}
	if kernel == nil {
		if len(all) == 0 {
			return nil, fmt.Errorf("--personality %s: no case has answers for it; there are those for %v", v.Personality, conformance.Personalities(cases))
		}
		return all, nil
	}
	reports, err := conformance.RunAll(kernel, conformance.Of(cases, conformance.Linux), conformance.Linux, 16, nil)
	if err != nil {
		return append(all, reports...), err
	}
	ours := ownReports(all)
	err = conformance.Retry(kernel, reports, func(r *conformance.Report) bool {
		return r.Differs() || len(differences(ours, r, kernel)) > 0
	})
	return append(all, reports...), err
}

// ownReports returns those of dialtone as linux, by the case's id.
func ownReports(reports []*conformance.Report) map[string]*conformance.Report {
	ours := map[string]*conformance.Report{}
	for _, r := range reports {
		if r.Arm == (dialtonearm.Arm{}).Name() && r.Personality == conformance.Linux {
			ours[r.Case.ID] = r
		}
	}
	return ours
}

// differences compares the kernel's report of a case that leaves answers out with dialtone's.
func differences(ours map[string]*conformance.Report, r *conformance.Report, kernel conformance.Arm) []conformance.Difference {
	mine := ours[r.Case.ID]
	if mine == nil || mine.NotRun != "" || r.NotRun != "" || !r.Case.LeavesOut() {
		return nil
	}
	return conformance.Compare(mine, r, dialtonearm.Arm{}, kernel)
}

func writeRecords(w io.Writer, reports []*conformance.Report) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for _, r := range reports {
		if err := enc.Encode(r.Record()); err != nil {
			return err
		}
	}
	return nil
}

func writeTranscripts(w io.Writer, reports []*conformance.Report) error {
	for i, r := range reports {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if _, err := io.WriteString(w, r.String()); err != nil {
			return err
		}
	}
	return nil
}

// writeMatrix prints a matrix for each arm, and a line that counts.
func writeMatrix(w io.Writer, reports []*conformance.Report, known map[conformance.Key]string) error {
	var arms []string
	explained := map[string]int{}
	matrices := map[string]*conformance.Matrix{}
	counts := map[string]*conformance.Count{}
	for _, r := range reports {
		if matrices[r.Arm] == nil {
			matrices[r.Arm], counts[r.Arm] = &conformance.Matrix{}, &conformance.Count{}
			arms = append(arms, r.Arm)
		}
		matrices[r.Arm].Add(r)
		counts[r.Arm].Add(r)
		if r.Differs() && known[r.Key()] != "" {
			explained[r.Arm]++
		}
	}
	for _, arm := range arms {
		fmt.Fprintf(w, "%s, connect by errno and family\n\n", arm)
		if err := matrices[arm].WriteText(w); err != nil {
			return err
		}
		n := counts[arm]
		reasons := ""
		if e := explained[arm]; e > 0 {
			reasons = fmt.Sprintf(" (%d explained)", e)
		}
		if _, err := fmt.Fprintf(w, "%s: %d runs agree, %d differ%s, %d could not be run\n\n", arm, n.Agree, n.Differ, reasons, n.NotRun); err != nil {
			return err
		}
	}
	return nil
}

// writeExplained prints why those differ of which it is known.
func writeExplained(w io.Writer, reports []*conformance.Report, known map[conformance.Key]string) error {
	for _, r := range reports {
		reason, ok := known[r.Key()]
		if !ok || !r.Differs() {
			continue
		}
		if _, err := fmt.Fprintf(w, "%s differs on %s as %s, as explained: %s\n", r.Case.ID, r.Arm, r.Personality, reason); err != nil {
			return err
		}
	}
	return nil
}

// unexplained returns the reports that differ without a known reason.
func unexplained(reports []*conformance.Report, known map[conformance.Key]string) []*conformance.Report {
	var out []*conformance.Report
	for _, r := range reports {
		if _, ok := known[r.Key()]; !ok && r.Differs() {
			out = append(out, r)
		}
	}
	return out
}

// compare puts the two arms' transcripts of the cases that leave answers out side by side, and returns in how many they
// differ.
func (v *conformVerb) compare(out *output, reports []*conformance.Report, kernel conformance.Arm) (int, error) {
	if kernel == nil {
		return 0, nil
	}
	ours := ownReports(reports)
	differ := 0
	for _, r := range reports {
		if r.Arm != kernel.Name() {
			continue
		}
		diffs := differences(ours, r, kernel)
		if len(diffs) == 0 {
			continue
		}
		differ++
		for _, d := range diffs {
			_, err := fmt.Fprintf(out.stderr, "%s:%d: %s = %s on dialtone, %s on the kernel\n", r.Case.File, d.Step.Line, d.Step.Text, answer(d.A), answer(d.B))
			if err != nil {
				return differ, err
			}
		}
	}
	return differ, nil
}

// answer is what a call said and how long it took, if that shows.
func answer(l conformance.Line) string {
	s := l.Got
	if s == "" {
		s = "no return"
	}
	if l.Elapsed.Milliseconds() >= 20 {
		s += fmt.Sprintf(" after %d ms", l.Elapsed.Milliseconds())
	}
	return s
}
