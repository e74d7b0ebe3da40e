// SPDX-License-Identifier: Apache-2.0

package selinux

import (
	"runtime"
	"testing"
)

// BenchmarkParseDebian loads Debian's reference policy; resident is the memory it keeps.
func BenchmarkParseDebian(b *testing.B) {
	data := readShared(b, "debian-default.33")
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	p, err := Parse(data)
	if err != nil {
		b.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	resident := float64(after.HeapAlloc) - float64(before.HeapAlloc)
	runtime.KeepAlive(p)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(data); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(resident/1e6, "resident-MB")
}

// BenchmarkAccessVectorDebian computes the golden file's pairs, which were drawn at random, without a cache.
func BenchmarkAccessVectorDebian(b *testing.B) {
	s := loadServer(b, readShared(b, "debian-default.33"))
	queries := goldenQueries(b, s.Policy())
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		q := &queries[i]
		if i++; i == len(queries) {
			i = 0
		}
		s.ComputeAV(&q.source, &q.target, q.class)
	}
}

// BenchmarkCacheHit asks again for what was just decided.
func BenchmarkCacheHit(b *testing.B) {
	s := loadServer(b, readFile(b, "testdata/lab.33"))
	ssid, tsid := mustSID(b, s, "system:daemon_r:web_t:public"), mustSID(b, s, "system:object_r:http_port_t:public")
	b.ReportAllocs()
	for b.Loop() {
		if !s.HasPerm(ssid, tsid, ClassTCPSocket, SocketNameConnect, nil) {
			b.Fatal("denied")
		}
	}
}
