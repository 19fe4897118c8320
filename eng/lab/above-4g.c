// Preloaded into a program of the guest by lab.sh --measure: takes all addresses below 4 GiB before anything else is mapped.
//
// A process of User-mode Linux gets its mappings from 1 GiB upwards, other Linux systems give them from the top down. With its
// code below 4 GiB, .NET's JIT compiler gives up on many methods and compiles them without optimization (seen on .NET 10:
// DOTNET_JitStdOutFile=FILE DOTNET_JitDisasmSummary=1 lists them as MinOpts), which makes every figure of speed wrong.
#define _GNU_SOURCE
#include <stdint.h>
#include <sys/mman.h>

__attribute__((constructor)) static void take_all_below_4g(void)
{
    for (uint64_t size = 1ull << 31; size >= 1ull << 16;) {
        void *taken = mmap(0, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (taken != MAP_FAILED && (uintptr_t)taken < 1ull << 32)
            continue;
        // Nothing as large is left down there.
        if (taken != MAP_FAILED)
            munmap(taken, size);
        size >>= 1;
    }
}
