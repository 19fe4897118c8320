using KTls.Kernel;

namespace KTls.Tests;

/// <summary>docs/KERNELS.md lists the kernel's errors with cause and cure; the exception itself says what to do, too.</summary>
public sealed class ErrorTableTests
{
    public static TheoryData<string, string> Errors
    {
        get
        {
            var errors = new TheoryData<string, string>();
            string[] calls = [];
            foreach (string line in File.ReadLines(Path.Combine(OptionsTableTests.Root(), "docs", "KERNELS.md")).SkipWhile(line => line != "## Errors").Where(line => line.StartsWith('|')).Skip(2))
            {
                string[] cells = line.Split('|', StringSplitOptions.TrimEntries);
                calls = cells[1].Length == 0 ? calls : [.. cells[1].Split(", ").Select(call => call.Trim('`'))];

                // What may happen to any socket or file is no exception of kernel TLS.
                if (calls[0] != KernelCalls.Send && !cells[3].StartsWith("never seen by a caller", StringComparison.Ordinal) && !cells[4].StartsWith("never seen by a caller", StringComparison.Ordinal))
                {
                    foreach (string errno in cells[2].Split(", "))
                    {
                        Array.ForEach(calls, call => errors.Add(call, errno));
                    }
                }
            }

            return errors;
        }
    }

    [Theory]
    [MemberData(nameof(Errors))]
    public void The_exception_explains_it(string call, string errno)
    {
        int number = (int)typeof(ErrorNumber).GetField(errno)!.GetRawConstantValue()!;
        Assert.StartsWith($"{call} failed with {errno} ({number}): ", new KernelTlsException(call, number).Message, StringComparison.Ordinal);
    }
}
