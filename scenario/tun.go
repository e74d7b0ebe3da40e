// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"errors"
	"net/netip"

	"dialtone/link"
)

// wire puts the running machine on a link, if the file says so.
func (r *Running) wire(l link.Link, part *tunPart) error {
	if !part.Device.given() {
		return nil
	}
	var addresses []netip.Prefix
	for _, a := range part.Addresses {
		addresses = append(addresses, a.v)
	}
	t, err := link.OpenTUN(part.Device.v, l, r.Network.Clock(), addresses...)
	if err != nil {
		return err
	}
	r.tuns = append(r.tuns, t)
	return nil
}

// unwire takes the machine off all links again.
func (r *Running) unwire() error {
	var all []error
	for _, t := range r.tuns {
		all = append(all, t.Close())
	}
	r.tuns = nil
	return errors.Join(all...)
}
