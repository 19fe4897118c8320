// Preloaded by lab.sh into User-mode Linux 6.1 and 6.12, which switch between the guest's kernel and its processes by ptrace and
// hand the vector registers over by PTRACE_SETREGSET before each return to a process. Later kernels do both without ptrace.
//
// Two things are mended. Registers that the process has already are not set: after most system calls nothing has changed, and this
// machine's kernel takes a mapping of its own for each PTRACE_SETREGSET. Where that is a virtual machine whose page tables its host
// watches, a suite takes a fifth less time, and half the time where another guest runs beside it.
//
// And the buffer ends with the registers of AVX-512, but Linux takes the whole state of the processor or nothing: with the tiles of
// AMX behind it, some 11 KB, it says EFAULT, and the guest's process 1 dies of SIGSEGV at once. So the buffer is handed on with what
// it lacks: zeros, of which its header says that they are not in use. PTRACE_GETREGSET is content with a part.
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

// Only the guest's kernel calls, from one thread.
static char state[1 << 16];
static char present[1 << 16];

long ptrace(enum __ptrace_request request, ...)
{
    va_list arguments;
    va_start(arguments, request);
    pid_t pid = va_arg(arguments, pid_t);
    void *address = va_arg(arguments, void *);
    void *data = va_arg(arguments, void *);
    va_end(arguments);

    struct iovec *part = data;
    int sets_vectors = request == PTRACE_SETREGSET && (long)address == NT_X86_XSTATE;
    if (sets_vectors && part->iov_len <= sizeof present) {
        struct iovec has = { present, part->iov_len };
        if (syscall(SYS_ptrace, PTRACE_GETREGSET, pid, address, &has) == 0 && memcmp(present, part->iov_base, has.iov_len) == 0)
            return 0;
    }

    // As the C library's own: the system call leaves a word that was read behind its last argument.
    long word = 0;
    int reads = request == PTRACE_PEEKTEXT || request == PTRACE_PEEKDATA || request == PTRACE_PEEKUSER;
    long result = syscall(SYS_ptrace, request, pid, address, reads ? &word : data);
    if (reads && result >= 0) {
        errno = 0;
        return word;
    }
    if (!sets_vectors || result >= 0 || errno != EFAULT)
        return result;

    // Its size is known once it was asked for.
    static size_t size;
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
