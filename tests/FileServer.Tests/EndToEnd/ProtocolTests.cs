using FileServer.Tests.Support;

namespace FileServer.Tests.EndToEnd;

/// <summary>What only a client says that writes its HTTP by hand.</summary>
public sealed class ProtocolTests
{
    private const string Get = "GET /a.txt HTTP/1.1\r\nHost: h\r\n\r\n";
    private const string Last = "GET /b.txt HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

    [Fact]
    public async Task Answers_pipelined_requests_in_order()
    {
        await using TestServer server = Start();
        string answers = await RawClient.ExchangeAsync(server, string.Concat(Enumerable.Repeat(Get, 50)) + Last + Get);
        Assert.Equal(50, Count(answers, "\r\n\r\nfile a"));
        Assert.EndsWith("\r\n\r\nfile b", answers, StringComparison.Ordinal);
        Assert.Equal(1, Count(answers, "Connection: close\r\n"));
        await server.LogLineAsync(line => line.Contains("requests=51 ", StringComparison.Ordinal) && line.EndsWith("end: Connection: close ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Answers_a_request_that_comes_byte_by_byte()
    {
        await using TestServer server = Start();
        using RawClient client = await RawClient.ConnectAsync(server.EndPoint);
        foreach (char c in Last)
        {
            await client.SendAsync(c.ToString());
        }

        Assert.EndsWith("file b", await client.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Http_1_0_closes_unless_it_asks_to_keep()
    {
        await using TestServer server = Start();
        string closing = await RawClient.ExchangeAsync(server, "GET /a.txt HTTP/1.0\r\n\r\n" + Get);
        Assert.Equal(1, Count(closing, "HTTP/1.1 200 OK\r\n"));
        Assert.Contains("Connection: close\r\n", closing, StringComparison.Ordinal);

        string keeping = await RawClient.ExchangeAsync(server, "GET /a.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + Last);
        Assert.Equal(2, Count(keeping, "HTTP/1.1 200 OK\r\n"));
        Assert.Contains("Connection: keep-alive\r\n", keeping, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Head_has_the_same_fields_and_no_body()
    {
        await using TestServer server = Start();
        string answers = await RawClient.ExchangeAsync(
            server, "HEAD /a.txt HTTP/1.1\r\nHost: h\r\nRange: bytes=0-0\r\n\r\nHEAD /missing HTTP/1.1\r\nHost: h\r\n\r\n" + Last);
        string[] parts = answers.Split("\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", parts[0], StringComparison.Ordinal);
        Assert.Contains("Content-Length: 6", parts[0], StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 404 Not Found\r\n", parts[1], StringComparison.Ordinal);
        Assert.Contains("Content-Length: 14", parts[1], StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", parts[2], StringComparison.Ordinal);
        Assert.Equal("file b", parts[3]);
    }

    [Theory]
    [InlineData("GARBAGE\r\n\r\n", 400)]
    [InlineData("GET /a.txt HTTP/1.1\r\n\r\n", 400)]
    [InlineData("GET /a.txt HTTP/1.1\nHost: h\n\n", 400)]
    [InlineData("GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n", 400)]
    [InlineData("GET /a.txt HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400)]
    [InlineData("GET /a.txt HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400)]
    [InlineData("GET /a.txt HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501)]
    [InlineData("GET /a.txt HTTP/1.1\r\nHost: h\r\nExpect: more\r\n\r\n", 417)]
    [InlineData("GET /a.txt HTTP/3.0\r\nHost: h\r\n\r\n", 505)]
    public async Task Refuses_and_closes(string request, int status)
    {
        await using TestServer server = Start();
        string answer = await RawClient.ExchangeAsync(server, request + Get);
        Assert.StartsWith($"HTTP/1.1 {status} ", answer, StringComparison.Ordinal);
        Assert.Contains("Connection: close\r\n", answer, StringComparison.Ordinal);
        Assert.Equal(1, Count(answer, "\r\n\r\n"));
        await server.LogLineAsync($"end: refused with {status}: ");
    }

    // All of it is sent before the answer is read: the answer must survive what the server does not read.
    [Theory]
    [InlineData("GET /", 'a', "", 414)]
    [InlineData("GET / HTTP/1.1\r\nX: ", 'a', "", 431)]
    public async Task Refuses_what_is_too_large(string start, char filler, string end, int status)
    {
        await using TestServer server = Start();
        string answer = await RawClient.ExchangeAsync(server, start + new string(filler, 500_000) + end);
        Assert.StartsWith($"HTTP/1.1 {status} ", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_is_not_taken_for_a_request()
    {
        await using TestServer server = Start();
        string answers = await RawClient.ExchangeAsync(server, $"GET /a.txt HTTP/1.1\r\nHost: h\r\nContent-Length: {Get.Length}\r\n\r\n{Get}{Last}");
        Assert.Equal(1, Count(answers, "file a"));
        Assert.Equal(1, Count(answers, "file b"));
    }

    [Fact]
    public async Task A_body_that_is_too_long_ends_the_connection()
    {
        await using TestServer server = Start();
        string answers = await RawClient.ExchangeAsync(server, $"GET /a.txt HTTP/1.1\r\nHost: h\r\nContent-Length: 300000\r\n\r\n{new string('x', 300_000)}{Last}");
        Assert.Equal(1, Count(answers, "HTTP/1.1 200 OK\r\n"));
        Assert.Contains("Connection: close\r\n", answers, StringComparison.Ordinal);
        Assert.EndsWith("file a", answers, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_expectation_is_answered_and_the_body_never_taken_for_a_request()
    {
        await using TestServer server = Start();
        string answers = await RawClient.ExchangeAsync(server, $"GET /a.txt HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: {Last.Length}\r\n\r\n{Last}");
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", answers, StringComparison.Ordinal);
        Assert.EndsWith("file a", answers, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_method_that_is_not_allowed_keeps_the_connection()
    {
        await using TestServer server = Start();
        string answers = await RawClient.ExchangeAsync(server, "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\nPOST /a.txt HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc" + Last);
        Assert.Equal(2, Count(answers, "HTTP/1.1 405 Method Not Allowed\r\n"));
        Assert.Equal(2, Count(answers, "Allow: GET, HEAD\r\n"));
        Assert.EndsWith("file b", answers, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_redirect_never_leads_to_another_host()
    {
        await using TestServer server = Start();
        server.Folder.Write("evil.example/x", "x");
        string answer = await RawClient.ExchangeAsync(server, "GET /evil.example HTTP/1.0\r\n\r\n");
        Assert.Contains("Location: /evil.example/\r\n", answer, StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 404 ", await RawClient.ExchangeAsync(server, "GET //evil.example HTTP/1.0\r\n\r\n"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 400 ", await RawClient.ExchangeAsync(server, "GET /evil.example%0d%0aX:y HTTP/1.0\r\n\r\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_304_ends_with_its_head()
    {
        await using TestServer server = Start();
        string answers = await RawClient.ExchangeAsync(server, "GET /a.txt HTTP/1.1\r\nHost: h\r\nIf-None-Match: *\r\n\r\n" + Last);
        Assert.StartsWith("HTTP/1.1 304 Not Modified\r\n", answers, StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", answers.Split("\r\n\r\n")[1], StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\nfile b", answers, StringComparison.Ordinal);
    }

    private static TestServer Start()
    {
        var server = new TestServer();
        server.Folder.Write("a.txt", "file a");
        server.Folder.Write("b.txt", "file b");
        return server;
    }

    private static int Count(string text, string part) => text.Split(part).Length - 1;
}
