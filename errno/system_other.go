// SPDX-License-Identifier: Apache-2.0

//go:build !linux || mips || mipsle || mips64 || mips64le

package errno

import "syscall"

func toSystem(e Errno) syscall.Errno {
	if s, ok := systems[e]; ok {
		return s
	}
	return syscall.EIO
}

// systems numbers the errors as this system does. ENONET, ENOSR and EKEYREJECTED are not known everywhere.
var systems = map[Errno]syscall.Errno{
	EPERM:           syscall.EPERM,
	ENOENT:          syscall.ENOENT,
	EINTR:           syscall.EINTR,
	EIO:             syscall.EIO,
	ENXIO:           syscall.ENXIO,
	E2BIG:           syscall.E2BIG,
	EBADF:           syscall.EBADF,
	EAGAIN:          syscall.EAGAIN,
	ENOMEM:          syscall.ENOMEM,
	EACCES:          syscall.EACCES,
	EFAULT:          syscall.EFAULT,
	EBUSY:           syscall.EBUSY,
	EEXIST:          syscall.EEXIST,
	EXDEV:           syscall.EXDEV,
	ENODEV:          syscall.ENODEV,
	ENOTDIR:         syscall.ENOTDIR,
	EISDIR:          syscall.EISDIR,
	EINVAL:          syscall.EINVAL,
	ENFILE:          syscall.ENFILE,
	EMFILE:          syscall.EMFILE,
	ENOTTY:          syscall.ENOTTY,
	ENOSPC:          syscall.ENOSPC,
	ESPIPE:          syscall.ESPIPE,
	EROFS:           syscall.EROFS,
	EPIPE:           syscall.EPIPE,
	EDOM:            syscall.EDOM,
	ERANGE:          syscall.ERANGE,
	ENAMETOOLONG:    syscall.ENAMETOOLONG,
	ENOSYS:          syscall.ENOSYS,
	ENOTEMPTY:       syscall.ENOTEMPTY,
	ELOOP:           syscall.ELOOP,
	ENOMSG:          syscall.ENOMSG,
	ENOLINK:         syscall.ENOLINK,
	EPROTO:          syscall.EPROTO,
	EOVERFLOW:       syscall.EOVERFLOW,
	ENOTSOCK:        syscall.ENOTSOCK,
	EDESTADDRREQ:    syscall.EDESTADDRREQ,
	EMSGSIZE:        syscall.EMSGSIZE,
	EPROTOTYPE:      syscall.EPROTOTYPE,
	ENOPROTOOPT:     syscall.ENOPROTOOPT,
	EPROTONOSUPPORT: syscall.EPROTONOSUPPORT,
	ESOCKTNOSUPPORT: syscall.ESOCKTNOSUPPORT,
	EOPNOTSUPP:      syscall.EOPNOTSUPP,
	EPFNOSUPPORT:    syscall.EPFNOSUPPORT,
	EAFNOSUPPORT:    syscall.EAFNOSUPPORT,
	EADDRINUSE:      syscall.EADDRINUSE,
	EADDRNOTAVAIL:   syscall.EADDRNOTAVAIL,
	ENETDOWN:        syscall.ENETDOWN,
	ENETUNREACH:     syscall.ENETUNREACH,
	ENETRESET:       syscall.ENETRESET,
	ECONNABORTED:    syscall.ECONNABORTED,
	ECONNRESET:      syscall.ECONNRESET,
	ENOBUFS:         syscall.ENOBUFS,
	EISCONN:         syscall.EISCONN,
	ENOTCONN:        syscall.ENOTCONN,
	ESHUTDOWN:       syscall.ESHUTDOWN,
	ETOOMANYREFS:    syscall.ETOOMANYREFS,
	ETIMEDOUT:       syscall.ETIMEDOUT,
	ECONNREFUSED:    syscall.ECONNREFUSED,
	EHOSTDOWN:       syscall.EHOSTDOWN,
	EHOSTUNREACH:    syscall.EHOSTUNREACH,
	EALREADY:        syscall.EALREADY,
	EINPROGRESS:     syscall.EINPROGRESS,
	ECANCELED:       syscall.ECANCELED,
}
