// SPDX-License-Identifier: Apache-2.0

package conformance

// Record is a report for programs: one JSON object per case. Expected and Got have one line for each step that has an
// answer, in the same order; an answer that the case leaves out is "?" in Expected.
type Record struct {
	ID          string   `json:"id"`
	Arm         string   `json:"arm"`
	Personality string   `json:"personality"`
	Pass        bool     `json:"pass"`
	NotRun      string   `json:"not_run,omitempty"`
	Expected    []string `json:"expected"`
	Got         []string `json:"got"`
}

// Record makes the record of a report.
func (r *Report) Record() Record {
	out := Record{ID: r.Case.ID, Arm: r.Arm, Personality: r.Personality, Pass: r.Pass, NotRun: r.NotRun}
	for _, l := range r.Lines {
		if l.Step.Kind != KindCall && l.Step.Kind != KindWait {
			continue
		}
		got := l.Got
		if l.Why != "" {
			got += " (" + l.Why + ")"
		}
		out.Expected = append(out.Expected, l.Step.Text+" = "+l.Want.String())
		out.Got = append(out.Got, l.Step.Text+" = "+got)
	}
	return out
}
