/* SPDX-License-Identifier: Apache-2.0
 *
 * libsepol's answers, for comparison. Compile: cc -O2 -o oracle oracle.c -l:libsepol.a
 * Use: oracle POLICY, with on each line of the input one of the questions below; each is answered by one line.
 *
 *	av SOURCE TARGET CLASS		allowed auditallow auditdeny reason, where the bits of reason are
 *					1 type enforcement, 2 constraint, 4 role allow, 8 bounds
 *	new SOURCE TARGET CLASS		transition member change; - for an invalid one
 *	context CONTEXT			the canonical form, or - for an invalid one
 *	port PROTOCOL PORT, node ADDRESS, netif NAME	context (for netif also that of messages)
 *	bool NAME 0|1			ok
 *	time ROUNDS			nanoseconds for one access vector, over all questions av so far
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sepol/policydb/conditional.h>
#include <sepol/policydb/flask_types.h>
#include <sepol/policydb/policydb.h>
#include <sepol/policydb/services.h>
#include <sepol/policydb/sidtab.h>

static policydb_t db;
static sidtab_t sids;

static void die(const char *what)
{
	fprintf(stderr, "oracle: %s\n", what);
	exit(1);
}

static int sid_of(const char *context, sepol_security_id_t *sid)
{
	return sepol_context_to_sid(context, strlen(context) + 1, sid);
}

/* The SID is behind a pointer since the call that sets it is an argument beside it. */
static void print_sid(int rc, const sepol_security_id_t *sid, char end)
{
	char *text = NULL;
	size_t len;

	if (rc == 0 && sepol_sid_to_context(*sid, &text, &len) == 0)
		printf("%s%c", text, end);
	else
		printf("-%c", end);
	free(text);
}

static struct question {
	sepol_security_id_t s, t;
	sepol_security_class_t c;
} *asked;
static size_t nasked;

static void load(const char *path)
{
	struct policy_file pf;
	FILE *f = fopen(path, "rb");

	if (!f)
		die("cannot open the policy");
	policy_file_init(&pf);
	pf.type = PF_USE_STDIO;
	pf.fp = f;
	if (policydb_init(&db) || policydb_read(&db, &pf, 0))
		die("cannot read the policy");
	fclose(f);
	if (policydb_load_isids(&db, &sids) || sepol_set_policydb(&db) || sepol_set_sidtab(&sids))
		die("cannot load the initial SIDs");
}

static void access_vector(const struct question *q)
{
	struct sepol_av_decision d;
	unsigned int reason = 0;

	if (sepol_compute_av_reason(q->s, q->t, q->c, ~0u, &d, &reason))
		die("cannot compute");
	printf("%u %u %u %u\n", d.allowed, d.auditallow, d.auditdeny, reason);
	asked = realloc(asked, (nasked + 1) * sizeof(*asked));
	asked[nasked++] = *q;
}

static void measure(int rounds)
{
	struct sepol_av_decision d;
	struct timespec a, b;

	clock_gettime(CLOCK_MONOTONIC, &a);
	for (int r = 0; r < rounds; r++)
		for (size_t i = 0; i < nasked; i++)
			if (sepol_compute_av(asked[i].s, asked[i].t, asked[i].c, ~0u, &d))
				die("cannot compute");
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("%.0f\n", ((b.tv_sec - a.tv_sec) * 1e9 + (b.tv_nsec - a.tv_nsec)) / ((double)rounds * nasked));
}

static void answer(char *line)
{
	char *w[4] = { "", "", "", "" };
	struct question q;
	sepol_security_id_t sid, msg;
	unsigned char addr[16];
	int n = 0, family;

	for (char *p = strtok(line, " \n"); p && n < 4; p = strtok(NULL, " \n"))
		w[n++] = p;
	if (!strcmp(w[0], "av") || !strcmp(w[0], "new")) {
		if (sid_of(w[1], &q.s) || sid_of(w[2], &q.t) || sepol_string_to_security_class(w[3], &q.c))
			die("an unknown context or class");
		if (w[0][0] == 'a') {
			access_vector(&q);
			return;
		}
		print_sid(sepol_transition_sid(q.s, q.t, q.c, &sid), &sid, ' ');
		print_sid(sepol_member_sid(q.s, q.t, q.c, &sid), &sid, ' ');
		print_sid(sepol_change_sid(q.s, q.t, q.c, &sid), &sid, '\n');
	} else if (!strcmp(w[0], "context")) {
		print_sid(sid_of(w[1], &sid), &sid, '\n');
	} else if (!strcmp(w[0], "port")) {
		print_sid(sepol_port_sid(0, 0, atoi(w[1]), atoi(w[2]), &sid), &sid, '\n');
	} else if (!strcmp(w[0], "node")) {
		family = strchr(w[1], ':') ? AF_INET6 : AF_INET;
		if (inet_pton(family, w[1], addr) != 1)
			die("not an address");
		print_sid(sepol_node_sid(family, addr, family == AF_INET ? 4 : 16, &sid), &sid, '\n');
	} else if (!strcmp(w[0], "netif")) {
		if (sepol_netif_sid(w[1], &sid, &msg))
			die("cannot label an interface");
		print_sid(0, &sid, ' ');
		print_sid(0, &msg, '\n');
	} else if (!strcmp(w[0], "bool")) {
		cond_bool_datum_t *b = hashtab_search(db.p_bools.table, w[1]);

		if (!b)
			die("an unknown boolean");
		b->state = atoi(w[2]);
		if (evaluate_conds(&db))
			die("cannot evaluate the conditions");
		puts("ok");
	} else if (!strcmp(w[0], "time")) {
		measure(atoi(w[1]));
	} else {
		die("an unknown question");
	}
}

int main(int argc, char **argv)
{
	static char line[65536];

	if (argc != 2)
		die("use: oracle POLICY");
	load(argv[1]);
	while (fgets(line, sizeof(line), stdin)) {
		answer(line);
		fflush(stdout);
	}
	return 0;
}
