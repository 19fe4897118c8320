// The end-to-end tests wait for time limits, and the lab's kernel has one processor.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
