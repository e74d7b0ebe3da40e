#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Compiles the default policy from its text.
set -eu
cd "$(dirname "$0")"
secilc -c 33 -o "${1:-default.33}" -f /dev/null default.cil
