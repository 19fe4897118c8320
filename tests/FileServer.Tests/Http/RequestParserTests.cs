using System.Text;
using FileServer.Http;

namespace FileServer.Tests.Http;

public sealed class RequestParserTests
{
    [Fact]
    public void Reads_request_line_and_fields()
    {
        HttpRequest request = Parse("GET /a%20b?c HTTP/1.1\r\nHost: example.org:8443\r\nX: \t v w \t\r\nx: second\r\nEmpty:\r\n\r\n");
        Assert.Equal("GET", request.Method);
        Assert.Equal("/a%20b?c", request.Target);
        Assert.True(request.IsHttp11);
        Assert.True(request.KeepAlive);
        Assert.Equal("v w, second", request.Headers.List("X"));
        Assert.Equal(string.Empty, request.Headers.Single("empty"));
        Assert.Null(request.Headers.List("Absent"));
        Assert.Equal(0, request.ContentLength);
    }

    [Theory]
    [InlineData("HTTP/1.1", null, true)]
    [InlineData("HTTP/1.1", "close", false)]
    [InlineData("HTTP/1.1", "Upgrade, CLOSE", false)]
    [InlineData("HTTP/1.1", "keep-alive", true)]
    [InlineData("HTTP/1.0", null, false)]
    [InlineData("HTTP/1.0", "Keep-Alive", true)]
    [InlineData("HTTP/1.0", "keep-alive, close", false)]
    [InlineData("HTTP/1.9", null, true)]
    public void Keeps_the_connection_as_the_version_and_the_client_say(string version, string? connection, bool expected)
    {
        string field = connection is null ? string.Empty : $"Connection: {connection}\r\n";
        Assert.Equal(expected, Parse($"GET / {version}\r\nHost: h\r\n{field}\r\n").KeepAlive);
    }

    [Theory]
    [InlineData("GET /\r\nHost: h\r\n\r\n", 400)]
    [InlineData("GET\r\nHost: h\r\n\r\n", 400)]
    [InlineData("\r\n\r\n", 400)]
    [InlineData(" GET / HTTP/1.1\r\nHost: h\r\n\r\n", 400)]
    [InlineData("GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400)]
    [InlineData("GET /  HTTP/1.1\r\nHost: h\r\n\r\n", 400)]
    [InlineData("GET / a HTTP/1.1\r\nHost: h\r\n\r\n", 400)]
    [InlineData("GET /\t HTTP/1.1\r\nHost: h\r\n\r\n", 400)]
    [InlineData("GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n", 400)]
    [InlineData("G(T / HTTP/1.1\r\nHost: h\r\n\r\n", 400)]
    [InlineData("GET / http/1.1\r\nHost: h\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1 \r\nHost: h\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.10\r\nHost: h\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1\r\nHost: h\r\n\r\n", 400)]
    [InlineData("GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505)]
    [InlineData("PRI * HTTP/2.0\r\n\r\n", 505)]
    [InlineData("GET / HTTP/0.9\r\nHost: h\r\n\r\n", 505)]
    public void Refuses_malformed_request_lines(string head, int status) => AssertRefused(head, status);

    [Theory]
    [InlineData("", 400)]
    [InlineData("Host: a\r\nHost: b\r\n", 400)]
    [InlineData("Host: a\r\nHost: a\r\n", 400)]
    [InlineData("Host: a b\r\n", 400)]
    [InlineData("Host: a/b\r\n", 400)]
    [InlineData("Host: u@a\r\n", 400)]
    [InlineData("Host : a\r\n", 400)]
    [InlineData("Host: a\r\n folded\r\n", 400)]
    [InlineData("Host: a\r\nNo colon\r\n", 400)]
    [InlineData("Host: a\r\n: no name\r\n", 400)]
    [InlineData("Host: a\r\nX: a\0b\r\n", 400)]
    [InlineData("Host: a\r\nX: a\u0007b\r\n", 400)]
    [InlineData("Host: a\r\nX\u00e4: a\r\n", 400)]
    [InlineData("Host: a\r\nExpect: the-worst\r\n", 417)]
    public void Refuses_malformed_fields(string fields, int status) => AssertRefused($"GET / HTTP/1.1\r\n{fields}\r\n", status);

    // What one server takes for a body and another for the next request (RFC 9112 §11.2).
    [Theory]
    [InlineData("Content-Length: 5\r\nContent-Length: 6\r\n", 400)]
    [InlineData("Content-Length: 5\r\nContent-Length: 5\r\n", 400)]
    [InlineData("Content-Length: 5, 5\r\n", 400)]
    [InlineData("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400)]
    [InlineData("Transfer-Encoding: chunked\r\n", 501)]
    [InlineData("Transfer-Encoding: identity\r\n", 501)]
    [InlineData("transfer-ENCODING:\tchunked\r\n", 501)]
    [InlineData("Transfer-Encoding : chunked\r\n", 400)]
    [InlineData("Content-Length: +5\r\n", 400)]
    [InlineData("Content-Length: -5\r\n", 400)]
    [InlineData("Content-Length: 0x5\r\n", 400)]
    [InlineData("Content-Length: 5 \u000b\r\n", 400)]
    [InlineData("Content-Length:\r\n", 400)]
    [InlineData("Content-Length: 99999999999999999999\r\n", 400)]
    public void Leaves_no_room_for_smuggling(string fields, int status) => AssertRefused($"GET / HTTP/1.1\r\nHost: h\r\n{fields}\r\n", status);

    [Fact]
    public void Refuses_transfer_encoding_in_http_1_0() => AssertRefused("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400);

    [Fact]
    public void Knows_length_and_expectation_of_a_body()
    {
        HttpRequest request = Parse("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 0042\r\nExpect: 100-Continue\r\n\r\n");
        Assert.Equal(42, request.ContentLength);
        Assert.True(request.ExpectsContinue);
    }

    [Fact]
    public void Needs_no_host_in_http_1_0() => Assert.False(Parse("GET / HTTP/1.0\r\n\r\n").IsHttp11);

    private static HttpRequest Parse(string head) => RequestParser.Parse(Encoding.Latin1.GetBytes(head));

    private static void AssertRefused(string head, int status) =>
        Assert.Equal(status, Assert.Throws<RefusedRequestException>(() => Parse(head)).Status);
}
