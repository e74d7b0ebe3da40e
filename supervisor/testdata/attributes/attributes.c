/* SPDX-License-Identifier: Apache-2.0 */

/* A program reads and writes its attributes as libselinux does, by open, read
 * and write alone. Each line says what a call answered. */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "flask_socket.h"

#define PROXY "system_u:system_r:http_proxy_t:s0"
#define CLIENT "user_u:user_r:client_t:s0"

static const char *result(long r)
{
	if (r >= 0)
		return "ok";
	switch (errno) {
	case EACCES: return "EACCES";
	case EINVAL: return "EINVAL";
	case EPERM: return "EPERM";
	}
	return strerror(errno);
}

static void show(const char *path)
{
	char b[256] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? fd : read(fd, b, sizeof b - 1);
	if (n < 0)
		printf("%s: %s\n", path, result(n));
	else
		printf("%s, %zd bytes\n", b, n);
	fflush(stdout);
	close(fd);
}

static void set(const char *path, const char *context, size_t n)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	ssize_t r = fd < 0 ? fd : write(fd, context, n);
	printf("%s := %s: %s\n", strrchr(path, '/') + 1, context ? context : "nothing", result(r));
	fflush(stdout);
	if (r >= 0 && (size_t)r != n)
		printf("%zd of %zu bytes\n", r, n);
	close(fd);
}

static void show_socket(void)
{
	struct sockaddr_in at;
	socklen_t len = sizeof at;
	security_id_t sid = 0;
	char b[256];
	uint32_t size = sizeof b;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || getsockname_secure(fd, (struct sockaddr *)&at, &len, &sid) < 0 ||
	    security_sid_to_context(sid, b, &size) < 0)
		printf("socket: %s\n", result(-1));
	else
		printf("socket %s\n", b);
	fflush(stdout);
	close(fd);
}

static void *other_thread(void *arg)
{
	(void)arg;
	set("/proc/thread-self/attr/sockcreate", CLIENT, sizeof CLIENT);
	set("/proc/self/attr/sockcreate", CLIENT, sizeof CLIENT); /* the first thread's */
	set("/proc/thread-self/attr/current", PROXY, sizeof PROXY);
	return NULL;
}

int main(int argc, char **argv)
{
	char path[64];
	pthread_t thread;

	(void)argv;
	alarm(30); /* whatever goes wrong, this ends */
	if (argc > 1) {
		printf("executed\n");
		show("/proc/self/attr/current");
		show("/proc/self/attr/sockcreate");
		show("/proc/self/attr/exec");
		return 0;
	}
	show("/proc/self/attr/current");
	show("/proc/thread-self/attr/current");
	snprintf(path, sizeof path, "/proc/%d/attr/current", getpid());
	show(path);
	snprintf(path, sizeof path, "/proc/self/task/%ld/attr/sockcreate", syscall(SYS_gettid));
	show(path);

	set("/proc/self/attr/sockcreate", "no:such:context", 15);
	set("/proc/self/attr/sockcreate", CLIENT, sizeof CLIENT);
	show("/proc/self/attr/sockcreate");
	show_socket();
	if (fork() == 0) {
		show("/proc/self/attr/sockcreate");
		_exit(0);
	}
	wait(NULL);
	set("/proc/thread-self/attr/sockcreate", NULL, 0);
	show("/proc/self/attr/sockcreate");
	show_socket();

	int fd = openat(AT_FDCWD, "/proc/self/attr/sockcreate", O_WRONLY);
	struct iovec v[2] = { { PROXY, 8 }, { PROXY "\n" + 8, sizeof PROXY - 8 } };
	printf("writev: %s\n", result(writev(fd, v, 2)));
	show("/proc/self/attr/sockcreate");
	printf("pwrite: %s\n", result(pwrite(fd, CLIENT, sizeof CLIENT, 0)));
	printf("pwrite, 1: %s\n", result(pwrite(fd, CLIENT, sizeof CLIENT, 1)));
	printf("duplicate: %s\n", result(write(dup(fd), PROXY, sizeof PROXY)));
	fflush(stdout);
	if (fork() == 0) {
		printf("inherited: %s\n", result(write(fd, PROXY, sizeof PROXY)));
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
	close(fd);
	set("/proc/self/attr/sockcreate", "\n", 1);
	show("/proc/self/attr/sockcreate");

	pthread_create(&thread, NULL, other_thread, NULL);
	pthread_join(thread, NULL);
	show("/proc/self/attr/sockcreate");

	show("/proc/self/attr/exec");
	set("/proc/self/attr/exec", "no:such:context", 15);
	set("/proc/self/attr/exec", PROXY, sizeof PROXY);
	show("/proc/self/attr/exec");
	if (fork() == 0) { /* keeps it, and gives it up by using it */
		execl("/no/such/file", "attributes", NULL);
		show("/proc/self/attr/exec");
		execl("/proc/self/exe", "attributes", "again", NULL);
		_exit(1);
	}
	wait(NULL);
	set("/proc/self/attr/exec", NULL, 0);
	show("/proc/self/attr/exec");

	set("/proc/self/attr/current", NULL, 0);
	set("/proc/self/attr/current", "no:such:context", 15);
	set("/proc/self/attr/current", PROXY, sizeof PROXY);
	show("/proc/self/attr/current");
	show_socket();
	set("/proc/self/attr/current", CLIENT, sizeof CLIENT);
	show("/proc/self/attr/current");
	set("/proc/self/attr/sockcreate", CLIENT, sizeof CLIENT);
	if (fork() == 0) { /* a confined process may not change what it is */
		set("/proc/self/attr/exec", CLIENT, sizeof CLIENT);
		show("/proc/self/attr/exec");
		execl("/proc/self/exe", "attributes", "again", NULL);
		printf("exec: %s\n", result(-1));
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
	execl("/proc/self/exe", "attributes", "again", NULL);
	return 1;
}
