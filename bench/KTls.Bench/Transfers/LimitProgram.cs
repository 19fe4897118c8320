using System.ComponentModel;
using System.Diagnostics;

namespace KTls.Bench.Transfers;

/// <summary>limit.c, built where a C compiler is.</summary>
internal static class LimitProgram
{
    private static readonly Lazy<string?> Built = new(Build);

    /// <summary>The program; null: there is no compiler.</summary>
    public static string? Path => Built.Value;

    private static string? Build()
    {
        string program = System.IO.Path.Combine(AppContext.BaseDirectory, "limit");
        try
        {
            using Process compiler = Process.Start("cc", ["-O2", "-Wall", "-o", program, program + ".c"]);
            compiler.WaitForExit();
            return compiler.ExitCode == 0 ? program : throw new InvalidOperationException("cc cannot build limit.c.");
        }
        catch (Win32Exception)
        {
            return null;
        }
    }
}
