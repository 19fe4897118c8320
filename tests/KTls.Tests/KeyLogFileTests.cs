using KTls.Handshake.Tests.Credentials;

namespace KTls.Tests;

/// <summary>A key log as a file.</summary>
public sealed class KeyLogFileTests
{
    [Fact]
    public void Only_its_owner_can_read_it_and_what_was_there_stays()
    {
        using var folder = new TempFolder();
        string path = folder["keys"];
        using (var file = new KeyLogFile(path))
        {
            file.Append("CLIENT_RANDOM 00 11");
            Assert.Equal("CLIENT_RANDOM 00 11\n", File.ReadAllText(path));
        }

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        using (var file = new KeyLogFile(path))
        {
            file.Append("CLIENT_RANDOM 22 33");
        }

        Assert.Equal(["CLIENT_RANDOM 00 11", "CLIENT_RANDOM 22 33"], File.ReadAllLines(path));
    }

    [Fact]
    public void Lines_stay_whole()
    {
        using var folder = new TempFolder();
        string path = folder["keys"];
        using (var file = new KeyLogFile(path))
        {
            Parallel.For(0, 2000, i => file.Append(new string((char)('a' + (i % 26)), 100 + (i % 26))));
        }

        string[] lines = File.ReadAllLines(path);
        Assert.Equal(2000, lines.Length);
        Assert.All(lines, line => Assert.Equal(new string(line[0], 100 + line[0] - 'a'), line));
    }

    [Fact]
    public async Task A_handshake_is_in_it()
    {
        using var folder = new TempFolder();
        using var file = new KeyLogFile(folder["keys"]);
        await using StreamPair pair = await StreamPair.ConnectAsync(new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace, KeyLog = file.Append });
        string[] lines = File.ReadAllLines(folder["keys"]);
        Assert.Contains(lines, line => line.StartsWith("CLIENT_TRAFFIC_SECRET_0 ", StringComparison.Ordinal));
        Assert.All(lines, line => Assert.Equal(3, line.Split(' ').Length));
    }
}
