// Tests compare the kernel's counters, and the lab's kernel has one processor.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
