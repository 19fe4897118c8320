namespace KTls.Fuzz;

/// <summary>What the program prints.</summary>
internal static class Report
{
    public static void Failure(string target, ReadOnlySpan<byte> input, string what)
    {
        Console.WriteLine($"\n{target} failed with an input of {input.Length} bytes:\n{what}");
        Console.WriteLine($"Once more: dotnet exec {Path.GetRelativePath(Environment.CurrentDirectory, typeof(Report).Assembly.Location)} input --target {target} --hex {Convert.ToHexStringLower(input)}\n");
    }
}
