// Preloaded by lab.sh into User-mode Linux 6.1 and 6.12 where this machine's processor has AMX.
//
// They hand the vector registers to their processes by PTRACE_SETREGSET, from a buffer that ends with those of AVX-512. Linux takes
// the whole state of the processor or nothing: with the tiles of AMX behind it, some 11 KB, it says EFAULT, and the guest's process 1
// dies of SIGSEGV at once. So the buffer is handed on with what it lacks: zeros, of which its header says that they are not in use.
// PTRACE_GETREGSET is content with a part. Later kernels ask for the size.
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static char state[1 << 16];

long ptrace(enum __ptrace_request request, ...)
{
    va_list arguments;
    va_start(arguments, request);
    pid_t pid = va_arg(arguments, pid_t);
    void *address = va_arg(arguments, void *);
    void *data = va_arg(arguments, void *);
    va_end(arguments);

    // As the C library's own: the system call leaves a word that was read behind its last argument.
    long word = 0;
    int reads = request == PTRACE_PEEKTEXT || request == PTRACE_PEEKDATA || request == PTRACE_PEEKUSER;
    long result = syscall(SYS_ptrace, request, pid, address, reads ? &word : data);
    if (reads && result >= 0) {
        errno = 0;
        return word;
    }
    if (request != PTRACE_SETREGSET || (long)address != NT_X86_XSTATE || result >= 0 || errno != EFAULT)
        return result;

    // Its size is known once it was asked for; only the guest's kernel calls, from one thread.
    static size_t size;
    struct iovec *part = data;
    if (size == 0) {
        struct iovec whole = { state, sizeof state };
        if (syscall(SYS_ptrace, PTRACE_GETREGSET, pid, address, &whole) < 0)
            return -1;
        size = whole.iov_len;
        memset(state, 0, sizeof state);
    }
    if (part->iov_len >= size) {
        errno = EFAULT;
        return -1;
    }
    memcpy(state, part->iov_base, part->iov_len);
    struct iovec whole = { state, size };
    return syscall(SYS_ptrace, PTRACE_SETREGSET, pid, address, &whole);
}
