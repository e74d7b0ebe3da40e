// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"errors"
	"fmt"
	"time"
)

// Report is what came of one case on one arm.
type Report struct {
	Case        *Case
	Arm         string
	Personality string
	Pass        bool
	NotRun      string // why the arm can't express the case; such a case has not passed
	Lines       []Line
}

// Differs says whether an answer of the case was not the one that was wanted.
func (r *Report) Differs() bool { return !r.Pass && r.NotRun == "" }

// Line is one step of a report.
type Line struct {
	Step      *Step
	Want      Want
	Got       string        // the answer; "" for steps that have none
	Elapsed   time.Duration // of a call
	Different bool          // got is not what was wanted
	Why       string        // what went wrong, when it shows in neither want nor got
}

// Run puts a case to an arm, as the personality answers. Every step is done even when one before it differed; only a
// call that does not return ends the case. The error is about the arm, not about the case.
func Run(arm Arm, c *Case, personality string) (*Report, error) {
	r := &runner{
		report: &Report{Case: c, Arm: arm.Name(), Personality: personality},
		arm:    arm,
		names:  map[string]string{}, fds: map[string]int{}, threads: map[string]started{},
	}
	err := r.run()
	var notRun *NotRunError
	if errors.As(err, &notRun) {
		r.report.NotRun = notRun.Reason
		return r.report, nil
	}
	if err != nil {
		return r.report, fmt.Errorf("case %s on %s: %w", c.ID, arm.Name(), err)
	}
	r.report.Pass = true
	for _, l := range r.report.Lines {
		r.report.Pass = r.report.Pass && !l.Different
	}
	return r.report, nil
}

type runner struct {
	report  *Report
	arm     Arm
	world   World
	names   map[string]string
	fds     map[string]int
	threads map[string]started
}

type started struct {
	Thread
	call Call
}

func (r *runner) run() (err error) {
	c := r.report.Case
	r.world, err = r.arm.Open(c, r.report.Personality)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.world.Close()) }()
	for i := range c.Steps {
		step := &c.Steps[i]
		line := Line{Step: step, Want: step.want(r.report.Personality)}
		err := r.step(step, &line)
		if errors.Is(err, ErrBlocked) {
			line.Got, line.Different = "no return", true
			r.report.Lines = append(r.report.Lines, line)
			return nil
		}
		if err != nil {
			return fmt.Errorf("line %d, %s: %w", step.Line, step.Text, err)
		}
		r.report.Lines = append(r.report.Lines, line)
	}
	return nil
}

func (r *runner) step(step *Step, line *Line) error {
	switch step.Kind {
	case KindAct:
		action := step.Action
		if icmp, ok := action.(ICMP); ok {
			if icmp.FD, ok = r.fds[icmp.Socket]; !ok {
				line.Different, line.Why = true, "there is no socket "+icmp.Socket
				return nil
			}
			action = icmp
		}
		return r.world.Do(action)
	case KindCall, KindStart:
		call, err := r.resolve(step)
		if err != nil {
			line.Different, line.Why = true, err.Error()
			return nil
		}
		if step.Kind == KindStart {
			t, err := r.world.Start(call)
			r.threads[step.Thread] = started{t, call}
			return err
		}
		result, err := r.world.Call(call)
		if err != nil {
			return err
		}
		r.judge(line, call, result)
		return nil
	}
	t, ok := r.threads[step.Thread]
	if !ok {
		line.Different, line.Why = true, "the thread was not started"
		return nil
	}
	switch step.Kind {
	case KindWait:
		result, err := t.Wait()
		if err != nil {
			return err
		}
		r.judge(line, t.call, result)
		return nil
	case KindInterrupt:
		return t.Interrupt(step.Restart)
	default: // KindBlocked
		blocked, err := t.Blocked()
		line.Different = !blocked
		if line.Different {
			line.Why = "it has returned"
		}
		return err
	}
}

// resolve puts what the variables stand for into a call.
func (r *runner) resolve(step *Step) (Call, error) {
	s, err := substitute(step.Call.Args[0].Text, r.names, r.fds)
	if err != nil {
		return Call{}, err
	}
	call, err := parseCall(newText(r.report.Case.File, step.Line, s), func(name string) (int, bool) {
		if fd, ok := r.fds[name]; ok {
			return fd, true
		}
		return literalFD(name)
	})
	call.Process, call.Bind = step.Call.Process, step.Call.Bind
	return call, err
}

// judge takes the descriptors of an answer, and compares it and its time with what was wanted.
func (r *runner) judge(line *Line, call Call, result Result) {
	line.Got, line.Elapsed = result.text(call.Name), result.Elapsed
	if result.Errno == "" {
		for i, name := range call.Bind {
			r.fds[name] = result.FDs[i]
		}
	}
	want := line.Want
	switch {
	case want.open():
		return
	case want.Text == "":
		line.Different = result.Errno != ""
	default:
		line.Different = !match(want.Text, line.Got, r.names, r.arm.Slack)
	}
	early, late := r.arm.Slack(want.After)
	if !want.Any && (result.Elapsed < want.After-early || result.Elapsed > want.After+late) {
		line.Different = true
		line.Why = fmt.Sprintf("took %v, expected %v", result.Elapsed.Round(time.Millisecond), want.After)
	}
}
