// The tests compare counters of the whole process and of the kernel, and the lab's kernel has one processor.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
