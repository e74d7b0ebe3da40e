#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes the binary policies from their texts, with secilc and checkpolicy 3.4 (-N: lab.cil goes beyond its bounds on
# purpose).
# Afterwards: go test -run AnswersOfLibsepol -update .
set -eu
cd "$(dirname "$0")"
for name in lab full; do
	for version in 30 31 32 33; do
		secilc -N -c "$version" -o "$name.$version" -f /dev/null "$name.cil"
	done
done
checkpolicy -M -c 33 -o conf.33 conf.conf
