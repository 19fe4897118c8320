using System.Security.Cryptography;
using FileServer.Tests.Support;
using KTls;

namespace FileServer.Tests.EndToEnd;

public sealed class CurlTests
{
    public static TheoryData<DataPlanePolicy> DataPlanes => [DataPlanePolicy.PreferKernel, DataPlanePolicy.UserSpace, DataPlanePolicy.SslStream];

    [Theory]
    [MemberData(nameof(DataPlanes))]
    public async Task Downloads_files_of_every_size(DataPlanePolicy plane)
    {
        await using var server = new TestServer(new Settings { DataPlane = plane });
        foreach (int size in new[] { 0, 1, 16_383, 16_384, 16_385, 262_144, 262_145, 5_000_001 })
        {
            byte[] content = RandomNumberGenerator.GetBytes(size);
            server.Folder.Write("file.bin", content);
            await CurlAsync(server, "/file.bin", "-o", server.Folder["out"]);
            Assert.True(content.AsSpan().SequenceEqual(File.ReadAllBytes(server.Folder["out"])), $"{size} bytes differ.");
        }
    }

    [Fact]
    public async Task The_kernel_seals_where_it_has_tls()
    {
        await using var server = new TestServer();
        server.Folder.Write("file.bin", new byte[1_000_000]);
        await CurlAsync(server, "/file.bin", "--tlsv1.3", "-o", "/dev/null");
        string line = await server.LogLineAsync("requests=1 bytes=1000000");
        Assert.Contains(TestServer.KernelHasTls ? "send=Kernel " : "send=SslStream (NoKernelTls) ", line, StringComparison.Ordinal);
        Assert.Contains("Tls13 TLS_", line, StringComparison.Ordinal);
        Assert.Contains("ALPN=http/1.1 SNI=localhost", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Requiring_the_kernel_serves_by_it_or_not_at_all()
    {
        await using var server = new TestServer(new Settings { DataPlane = DataPlanePolicy.RequireKernel });
        server.Folder.Write("a.txt", "hello");
        Tool.Result result = await RunAsync(server, "/a.txt");
        if (TestServer.KernelHasTls)
        {
            Assert.Equal("hello", result.Output);
            await server.LogLineAsync("send=Kernel ");
        }
        else
        {
            Assert.NotEqual(0, result.ExitCode);
            Assert.Contains("kernel TLS", await server.LogLineAsync("handshake failed"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task User_space_seals_when_it_is_told_to()
    {
        await using var server = new TestServer(new Settings { DataPlane = DataPlanePolicy.UserSpace });
        server.Folder.Write("a.txt", "hello");
        await CurlAsync(server, "/a.txt", "--tlsv1.3");
        await server.LogLineAsync(line => line.Contains("send=UserSpace (SwitchedOff) ", StringComparison.Ordinal) && line.Contains("receive=UserSpace (SwitchedOff) ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Serves_a_tls_1_2_client()
    {
        await using var server = new TestServer();
        server.Folder.Write("a.txt", "hello");
        Assert.Equal("hello", await CurlAsync(server, "/a.txt", "--tls-max", "1.2"));
        await server.LogLineAsync("Tls12");
    }

    [Fact]
    public async Task Resumes_a_download()
    {
        await using var server = new TestServer();
        byte[] content = RandomNumberGenerator.GetBytes(300_000);
        server.Folder.Write("file.bin", content);
        server.Folder.Write("out", content[..123_456]);
        await CurlAsync(server, "/file.bin", "-C", "-", "-o", server.Folder["out"]);
        Assert.Equal(content, File.ReadAllBytes(server.Folder["out"]));
        await server.LogLineAsync($"bytes={300_000 - 123_456} ");
    }

    [Fact]
    public async Task Follows_to_a_folder_and_keeps_the_connection()
    {
        await using var server = new TestServer();
        server.Folder.Write("ä b/index.html", "<p>");
        Assert.Equal("<p>|1", await CurlAsync(server, "/%C3%A4%20b?q", "-L", "-w", "|%{num_connects}"));
        await server.LogLineAsync("requests=2 ");
    }

    [Fact]
    public async Task Uses_one_connection_for_many_files()
    {
        await using var server = new TestServer();
        for (int i = 0; i < 20; i++)
        {
            server.Folder.Write($"{i}.txt", $"{i};");
        }

        string output = await CurlAsync(server, "/[0-19].txt");
        Assert.Equal(string.Concat(Enumerable.Range(0, 20).Select(i => $"{i};")), output);
        await server.LogLineAsync("requests=20 ");
    }

    [Fact]
    public async Task Answers_head_and_conditional_requests()
    {
        await using var server = new TestServer();
        server.Folder.Write("a.html", "hello");
        string head = await CurlAsync(server, "/a.html", "-I");
        Assert.Contains("Content-Length: 5\r\n", head, StringComparison.Ordinal);
        Assert.Contains("Content-Type: text/html; charset=utf-8\r\n", head, StringComparison.Ordinal);
        Assert.Contains("Accept-Ranges: bytes\r\n", head, StringComparison.Ordinal);
        await CurlAsync(server, "/a.html", "--etag-save", server.Folder["tag"], "-o", "/dev/null");
        Assert.Equal("304", await CurlAsync(server, "/a.html", "--etag-compare", server.Folder["tag"], "-w", "%{http_code}"));
        Assert.Equal("304", await CurlAsync(server, "/a.html", "-z", server.Folder["a.html"], "-w", "%{http_code}"));
        File.SetLastWriteTimeUtc(server.Folder["a.html"], DateTime.UtcNow.AddHours(-1));
        Assert.Equal("200", await CurlAsync(server, "/a.html", "--etag-compare", server.Folder["tag"], "-w", "%{http_code}", "-o", "/dev/null"));
    }

    [Theory]
    [InlineData("/../../../../etc/passwd")]
    [InlineData("/%2e%2e/%2e%2e/etc/passwd")]
    [InlineData("/..%2f..%2fetc/passwd")]
    [InlineData("/%252e%252e/etc/passwd")]
    [InlineData("//etc/passwd")]
    [InlineData("/out/passwd")]
    public async Task Serves_nothing_outside_of_the_root(string target)
    {
        await using var server = new TestServer();
        File.CreateSymbolicLink(server.Folder["out"], "/etc");
        string output = await CurlAsync(server, target, "--path-as-is", "-w", "%{http_code}");
        Assert.Matches("(400|404)$", output);
        Assert.DoesNotContain("root:", output, StringComparison.Ordinal);
    }

    // curl asks before it sends a body over 1 MiB, and sends a smaller one at once.
    [Theory]
    [InlineData(10)]
    [InlineData(60_000)]
    [InlineData(200_000)]
    [InlineData(3_000_000)]
    public async Task Answers_a_request_with_a_body(int size)
    {
        await using var server = new TestServer();
        server.Folder.Write("a.txt", "hello");
        server.Folder.Write("body", new byte[size]);
        Assert.Equal("hello", await CurlAsync(server, "/a.txt", "-X", "GET", "--data-binary", "@" + server.Folder["body"]));
        Assert.EndsWith("405", await CurlAsync(server, "/a.txt", "--data-binary", "@" + server.Folder["body"], "-w", "%{http_code}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_clients_at_once()
    {
        await using var server = new TestServer();
        byte[] content = RandomNumberGenerator.GetBytes(1_000_000);
        server.Folder.Write("file.bin", content);
        string hash = Convert.ToHexString(SHA256.HashData(content));
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async i =>
        {
            await CurlAsync(server, "/file.bin", "-o", server.Folder[$"out{i}"]);
            Assert.Equal(hash, Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(server.Folder[$"out{i}"]))));
        }));
    }

    private static async Task<string> CurlAsync(TestServer server, string target, params string[] options)
    {
        Tool.Result result = await RunAsync(server, target, options);
        Assert.True(result.ExitCode == 0, $"curl ended with {result.ExitCode}: {result.Error}");
        return result.Output;
    }

    private static Task<Tool.Result> RunAsync(TestServer server, string target, params string[] options) => Tool.RunAsync(
        "curl", ["-sSk", "--max-time", "50", "--resolve", $"localhost:{server.EndPoint.Port}:127.0.0.1", .. options, $"https://localhost:{server.EndPoint.Port}{target}"]);
}
