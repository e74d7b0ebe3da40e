// SPDX-License-Identifier: Apache-2.0

package selinux

import (
	"runtime"
	"strconv"
	"testing"
	"time"
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
	if each := b.Elapsed() / time.Duration(b.N); each > 150*time.Millisecond || resident > 60e6 {
		b.Errorf("%v and %.0f bytes, more than 150 ms and 60 MB", each, resident)
	}
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

// BenchmarkAccessVectorAgainstLibsepol has libsepol compute the same pairs, in the same run. The promise is a fifth of
// its time.
func BenchmarkAccessVectorAgainstLibsepol(b *testing.B) {
	path := shared(b, "debian-default.33")
	o := startOracle(b, path)
	s := loadServer(b, readFile(b, path))
	queries := goldenQueries(b, s.Policy())
	for _, q := range queries {
		p := s.Policy()
		o.ask(b, "av "+p.FormatContext(&q.source)+" "+p.FormatContext(&q.target)+" "+p.ClassName(q.class))
	}
	theirs, err := strconv.ParseFloat(o.ask(b, "time 5"), 64)
	if err != nil {
		b.Fatal(err)
	}
	i := 0
	for b.Loop() {
		q := &queries[i]
		if i++; i == len(queries) {
			i = 0
		}
		s.ComputeAV(&q.source, &q.target, q.class)
	}
	ratio := float64(b.Elapsed().Nanoseconds()) / float64(b.N) / theirs
	b.ReportMetric(theirs, "libsepol-ns/op")
	b.ReportMetric(ratio, "ratio")
	if b.N > len(queries) && ratio > 0.2 {
		b.Errorf("%.2f of libsepol's time, more than a fifth", ratio)
	}
}

// BenchmarkNewServer makes a host's server for a policy that is there already.
func BenchmarkNewServer(b *testing.B) {
	p := loadServer(b, readShared(b, "debian-default.33")).Policy()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := NewServer(p); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPortSID looks up ports of Debian's policy, which has 479 rules on them.
func BenchmarkPortSID(b *testing.B) {
	s := loadServer(b, readShared(b, "debian-default.33"))
	b.ReportAllocs()
	port := uint16(0)
	for b.Loop() {
		port += 257
		s.PortSID(6, port)
	}
}

// BenchmarkSocketSID labels a socket.
func BenchmarkSocketSID(b *testing.B) {
	s := loadServer(b, readFile(b, "testdata/lab.33"))
	process := mustSID(b, s, "system:daemon_r:web_t:public")
	b.ReportAllocs()
	for b.Loop() {
		if sid, err := s.TransitionSID(process, process, ClassTCPSocket); sid != process || err != nil {
			b.Fatal(sid, err)
		}
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
	if each := float64(b.Elapsed().Nanoseconds()) / float64(b.N); b.N > 1000 && each > 25 {
		b.Errorf("%.1f ns, more than 25", each)
	}
}
