// SPDX-License-Identifier: Apache-2.0

package policytool

import (
	"io"

	"dialtone/selinux"
)

// Why something is denied, as libsepol's bits (SEPOL_COMPUTEAV_…).
const (
	reasonTE         = 1 // type enforcement: no rule holds
	reasonConstraint = 2
	reasonRole       = 4 // role allow
	reasonBounds     = 8
)

type avAnswer struct {
	S               string             `json:"s"`
	T               string             `json:"t"`
	C               string             `json:"c"`
	ClassValue      selinux.ClassValue `json:"class_value"`
	Allowed         uint32             `json:"allowed"`
	AuditAllow      uint32             `json:"auditallow"`
	AuditDeny       uint32             `json:"auditdeny"`
	Reason          int                `json:"reason"` // for what is denied of the class's permissions
	Perms           []string           `json:"perms"`
	AuditAllowPerms []string           `json:"auditallow_perms"`
	DontAuditPerms  []string           `json:"dontaudit_perms"`
}

// AV answers lines SOURCE TARGET CLASS with the access vector: raw bits in the policy's numbering, and names.
func AV(s *selinux.Server, in io.Reader, out io.Writer) error {
	return eachLine(in, out, "SOURCE TARGET CLASS", func(words []string) (any, error) {
		source, target, class, err := question(s.Policy(), words)
		if err != nil {
			return nil, err
		}
		av := s.ComputeAV(&source, &target, class)
		p := s.Policy()
		return avAnswer{
			S: words[0], T: words[1], C: words[2], ClassValue: class,
			Allowed: av.Allowed, AuditAllow: av.AuditAllow, AuditDeny: av.AuditDeny,
			Reason:          reason(s, &source, &target, class, av.Allowed),
			Perms:           p.PermissionNames(class, av.Allowed),
			AuditAllowPerms: p.PermissionNames(class, av.AuditAllow),
			DontAuditPerms:  p.PermissionNames(class, ^av.AuditDeny),
		}, nil
	})
}

// reason joins why each permission of the class that is not allowed is denied. As in libsepol, each step looks only
// at what the steps before have left.
func reason(s *selinux.Server, source, target *selinux.Context, class selinux.ClassValue, allowed uint32) int {
	bits := 0
	for _, name := range s.Policy().PermissionNames(class, ^allowed) {
		e := s.Explain(source, target, s.Policy().ClassName(class), name)
		switch e.Obstacles[0].Kind {
		case selinux.ObstacleNoRule, selinux.ObstacleBoolean:
			bits |= reasonTE
		case selinux.ObstacleConstraint:
			bits |= reasonConstraint
		case selinux.ObstacleRole:
			bits |= reasonRole
		case selinux.ObstacleBounds:
			bits |= reasonBounds
		}
	}
	return bits
}
