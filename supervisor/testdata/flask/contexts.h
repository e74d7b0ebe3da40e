/* SPDX-License-Identifier: Apache-2.0 */

/* The contexts of these programs, and the SIDs that stand for them. Included
 * after what declares security_context_to_sid. */

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERVER "system_u:system_r:httpd_t:s0"
#define CLIENT "system_u:system_r:http_proxy_t:s0"

static inline security_id_t sid(const char *context)
{
	security_id_t s = 0;
	if (security_context_to_sid(context, strlen(context) + 1, &s) < 0) {
		perror(context);
		exit(1);
	}
	return s;
}

#ifndef KERNEL
static inline const char *name(security_id_t s)
{
	static char context[256];
	uint32_t len = sizeof context;
	if (security_sid_to_context(s, context, &len) < 0)
		return strerror(errno);
	return context;
}
#endif
