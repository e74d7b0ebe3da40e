// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package link

import (
	"errors"
	"io"
	"net/netip"
)

func openDevice(string, []netip.Prefix) (io.ReadWriteCloser, int, error) {
	return nil, 0, errors.New("only Linux has such devices")
}
