// SPDX-License-Identifier: Apache-2.0

package selinux

import (
	"encoding/binary"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// Every part of a policy cut off at its end is an error that names section and offset.
func TestParseTruncated(t *testing.T) {
	for _, name := range []string{"lab.30", "lab.33", "full.30", "full.33"} {
		data := readFile(t, "testdata/"+name)
		for n := range data {
			_, err := Parse(data[:n])
			var pe *ParseError
			if !errors.As(err, &pe) || pe.Section == "" || pe.Offset > n {
				t.Fatalf("%s cut at %d: %v", name, n, err)
			}
		}
		if _, err := Parse(append(slices.Clone(data), 0)); err == nil || !strings.Contains(err.Error(), "1 bytes follow the end") {
			t.Errorf("%s with a byte more: %v", name, err)
		}
	}
}

// Each byte changed in some ways gives an error, or a policy that can be asked anything.
func TestParseMutated(t *testing.T) {
	for _, name := range []string{"lab.33", "full.33"} {
		data := readFile(t, "testdata/"+name)
		accepted, asked := 0, 0
		for i := range data {
			for _, change := range []byte{0x01, 0x80, 0xFF} {
				old := data[i]
				data[i] ^= change
				if p, err := Parse(data); err == nil {
					accepted++
					if i%16 == 0 {
						asked += exercise(p)
					}
				}
				data[i] = old
			}
		}
		t.Logf("%s: %d changes, %d accepted, %d questions", name, 3*len(data), accepted, asked)
		if accepted == 0 || asked == 0 {
			t.Error("no changed policy was accepted: the test asked nothing")
		}
	}
}

// A number that promises more than the file holds costs no memory, wherever it stands.
func TestParseHugeCounts(t *testing.T) {
	data := readFile(t, "testdata/lab.33")
	refused, most, at := 0, uint64(0), 0
	var before, after runtime.MemStats
	for _, huge := range []uint32{0xFFFFFFF0, 0xFFFF, 0x1000} {
		for i := 0; i+4 <= len(data); i++ {
			old := binary.LittleEndian.Uint32(data[i:])
			binary.LittleEndian.PutUint32(data[i:], huge)
			runtime.ReadMemStats(&before)
			if _, err := Parse(data); err != nil {
				refused++
			}
			runtime.ReadMemStats(&after)
			if n := after.TotalAlloc - before.TotalAlloc; n > most {
				most, at = n, i
			}
			binary.LittleEndian.PutUint32(data[i:], old)
		}
	}
	t.Logf("%d of %d refused, at most %d bytes allocated, at %d", refused, 3*len(data), most, at)
	if most > 1<<20 {
		t.Errorf("%d bytes are allocated for a file of %d with another number at %d", most, len(data), at)
	}
}

func TestParseErrors(t *testing.T) {
	lab := readFile(t, "testdata/lab.33")
	with := func(off int, v uint32) []byte {
		data := slices.Clone(lab)
		binary.LittleEndian.PutUint32(data[off:], v)
		return data
	}
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "policy: header at offset 0: the file ends inside the magic number"},
		{"text", []byte("(type a_t)"), "policy: header at offset 0: this is no SELinux policy"},
		{"module", with(0, 0xF97CFF8D), "policy: header at offset 0: this is a policy module (.mod)"},
		{"package", with(0, 0xF97CFF8F), "policy: header at offset 0: this is a policy package (.pp)"},
		{"Xen", slices.Concat(lab[:4], []byte{8, 0, 0, 0}, []byte("XenFlask"), lab[16:]), "policy: header at offset 4: this is a policy for Xen"},
		{"kind", slices.Concat(lab[:8], []byte("SE LinuX"), lab[16:]), `the policy's kind is "SE LinuX"`},
		{"old", with(16, 29), "policy: header at offset 16: version 29 is not supported, only 30 to 33 are"},
		{"new", with(16, 34), "policy: header at offset 16: version 34 is not supported"},
		{"configuration", with(20, 0xFF), "policy: header at offset 20: the configuration 0xff is not known"},
		{"tables", with(24, 9), "policy: header at offset 24: 9 symbol and 9 object context tables, not 8 and 9"},
		{"bitmap", with(32, 32), "policy: header at offset 32: the policy capabilities has map units of 32 bits, not 64"},
	} {
		_, err := Parse(c.data)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}

// TestAndroidConfig: Android's kernels know two more bits in the header, for netlink requests that nothing here makes.
func TestAndroidConfig(t *testing.T) {
	data := slices.Clone(readFile(t, "testdata/lab.33"))
	const config = 20 // its offset: magic, length and text of the kind, version
	binary.LittleEndian.PutUint32(data[config:], binary.LittleEndian.Uint32(data[config:])|1<<31|1<<30)
	if _, err := Parse(data); err != nil {
		t.Fatal(err)
	}
	binary.LittleEndian.PutUint32(data[config:], binary.LittleEndian.Uint32(data[config:])|1<<29)
	if _, err := Parse(data); err == nil {
		t.Error("a policy with a bit that nobody knows was read")
	}
}
