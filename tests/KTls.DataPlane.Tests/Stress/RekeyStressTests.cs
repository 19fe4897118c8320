using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using RekeyStress;

namespace KTls.DataPlane.Tests.Stress;

/// <summary>The sample RekeyStress: that it finds nothing wrong, and that it would.</summary>
public sealed partial class RekeyStressTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("rekey-stress-tests").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>With the arguments that the README names for a short run.</summary>
    [Fact]
    public async Task A_short_run_as_the_README_says()
    {
        string[] arguments = ShortRun().Match(await File.ReadAllTextAsync(InRepository("samples/RekeyStress/README.md"))).Groups[1].Value.Split(' ');
        using PeerProcess program = PeerProcess.Start("dotnet", ["exec", typeof(Application).Assembly.Location, .. arguments]);
        string output = Encoding.UTF8.GetString(await program.FinishAsync());
        Assert.True(program.ExitCode == 0, output + await program.ErrorsAsync());
        Assert.Contains("\nnothing was wrong\n", output, StringComparison.Ordinal);
        Assert.InRange(Number(KeyUpdates().Match(output).Groups[1].Value), Number(arguments[Array.IndexOf(arguments, "--updates") + 1]), long.MaxValue);
        Assert.Contains(Lab.CanRekey ? "TlsTxRekeyOk " : "This kernel cannot change keys", output, StringComparison.Ordinal);
    }

    /// <summary>Bytes that sendfile sends are not those that were meant: each end that gets them says what is the matter.</summary>
    [Theory]
    [InlineData("wrong", "bytes are wrong")]
    [InlineData("missing", "7 bytes are missing")]
    [InlineData("doubled", "the last 7 bytes come again")]
    public async Task Finds_what_is_wrong(string damage, string finding)
    {
        using var identity = new Identity();
        using var pattern = new Pattern(1, _folder);
        string file = Directory.GetFiles(_folder).Single();
        byte[] bytes = await File.ReadAllBytesAsync(file);
        byte[] damaged = damage switch
        {
            "wrong" => [.. bytes.Select(b => (byte)(b ^ 1))],
            "missing" => [.. bytes[7..], .. bytes[..7]],
            _ => [.. bytes[^7..], .. bytes[..^7]],
        };

        // In place: the program has the file open.
        await using (var stream = new FileStream(file, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            await stream.WriteAsync(damaged);
        }

        var run = new Run(new Settings { Updates = 200, Connections = 2, Seed = 1, WithFaults = false }, pattern, identity, _folder, Lab.CanRekey, CancellationToken.None);
        await new Workers(run).RunAsync().WaitAsync(Lab.Patience);
        Assert.NotEqual(0, run.Findings.Count);
        Assert.All(run.Findings.Shown, shown => Assert.Matches("receiving: InvalidDataException: after [0-9]+ bytes: ", shown));
        Assert.Contains(run.Findings.Shown, shown => shown.Contains(finding, StringComparison.Ordinal));
    }

    [Fact]
    public void Tells_what_is_the_matter_with_bytes()
    {
        using var pattern = new Pattern(1, _folder);

        // Also where the ring closes.
        foreach (long position in new long[] { 0, 1000, Pattern.Length - 40, Pattern.Length, (5L * Pattern.Length) + 7 })
        {
            Assert.Equal(100, pattern.Matching(position, pattern.At(position, 100).Span));
            Assert.Equal("3 bytes are missing", pattern.Explain(position, pattern.At(position + 3, 100).Span));
            Assert.Equal("the last 3 bytes come again", pattern.Explain(position + 3, pattern.At(position, 100).Span));
            byte[] wrong = pattern.At(position, 100).ToArray();
            wrong[0] ^= 1;
            wrong[50] ^= 1;
            Assert.Equal(0, pattern.Matching(position, wrong));
            Assert.Equal("2 of the next 100 bytes are wrong", pattern.Explain(position, wrong));
        }

        Assert.True(pattern.IsIntact);
        System.Runtime.InteropServices.MemoryMarshal.AsMemory(pattern.At(5, 1)).Span[0] ^= 1;
        Assert.False(pattern.IsIntact);
    }

    [Fact]
    public void A_seed_repeats_every_decision()
    {
        Assert.Equal(Decisions(7), Decisions(7));
        Assert.NotEqual(Decisions(7), Decisions(8));
    }

    [Theory]
    [InlineData("--updates", "0")]
    [InlineData("--updates")]
    [InlineData("--connections", "1.5")]
    [InlineData("--peer", "nss")]
    [InlineData("--user-space", "--peer", "openssl")]
    [InlineData("--upd", "1")]
    public async Task Wrong_usage_is_one_line_and_exit_code_2(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        Assert.Equal(2, await Application.RunAsync(arguments, output, error, CancellationToken.None));
        Assert.Equal(string.Empty, output.ToString());
        Assert.Matches(@"^RekeyStress: .*\n\z", error.ToString());
    }

    private static string Decisions(int seed)
    {
        var text = new StringBuilder();
        for (int life = 0; life < 20; life++)
        {
            LifePlan plan = LifePlan.Draw(new Settings { Seed = seed }, kernelCanRekey: true, connection: 3, life);
            text.Append(CultureInfo.InvariantCulture, $"{plan.Suite} {plan.Ending} {plan.FaultAtClient} {plan.FaultStep}\n");
            foreach (EndPlan end in new[] { plan.Client, plan.Server })
            {
                text.Append(CultureInfo.InvariantCulture, $"{end.Steps} {end.Origin} {end.InUserSpace} {end.BufferSize} {end.RekeyAfterRecords}\n");
                Random sending = Script.RandomOf([.. end.Seed, 1]);
                Random receiving = Script.RandomOf([.. end.Seed, 2]);
                for (int i = 0; i < 100; i++)
                {
                    text.Append(CultureInfo.InvariantCulture, $"{Script.NextStep(sending)} {Script.NextRead(receiving)}\n");
                }
            }
        }

        return text.ToString();
    }

    private static long Number(string text) => long.Parse(text, NumberStyles.AllowThousands, CultureInfo.InvariantCulture);

    private static string InRepository(string path)
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "KTls.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("Not within the repository.");
        }

        return Path.Combine(folder, path);
    }

    [GeneratedRegex(@"RekeyStress\.dll (--updates \d+ --connections \d+ --seed \d+)\n")]
    private static partial Regex ShortRun();

    [GeneratedRegex(@"\nKeyUpdates +([\d,]+) sent")]
    private static partial Regex KeyUpdates();
}
