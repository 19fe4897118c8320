using System.Text;
using FileServer.Http;

namespace FileServer.Tests.Http;

public sealed class RequestReaderTests
{
    private const string Simple = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(100_000)]
    public async Task Cuts_pipelined_requests_however_they_arrive(int chunk)
    {
        var text = new StringBuilder();
        for (int i = 0; i < 300; i++)
        {
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"{(i % 3 == 0 ? "\r\n" : "")}GET /{i} HTTP/1.1\r\nHost: h\r\nContent-Length: {i % 5}\r\nX: {new string('x', i)}\r\n\r\n{"abcde"[..(i % 5)]}");
        }

        using var reader = new RequestReader(new Chunks(text.ToString(), chunk));
        for (int i = 0; i < 300; i++)
        {
            Assert.True(await reader.WaitAsync(CancellationToken.None));
            HttpRequest request = await reader.ReadHeadAsync(CancellationToken.None);
            Assert.Equal($"/{i}", request.Target);
            Assert.Equal(i, request.Headers.Single("X")!.Length);
            await reader.SkipAsync(request.ContentLength, CancellationToken.None);
        }

        Assert.False(await reader.WaitAsync(CancellationToken.None));
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\nHost: h\n\n")]
    [InlineData("GET / HTTP/1.1\r\nHost: h\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\nHost: h\r\n\n")]
    [InlineData("GET / HTTP/1.1\r\nHost: h\rX: y\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\nHost: h\r\r\n\r\n")]
    [InlineData("\nGET / HTTP/1.1\r\nHost: h\r\n\r\n")]
    public Task Refuses_lines_that_do_not_end_with_crlf(string text) => AssertRefusedAsync(text, 400);

    [Fact]
    public async Task Refuses_a_bare_line_feed_before_the_head_is_complete()
    {
        var reader = new RequestReader(new Chunks("GET / HTTP/1.1\n", 100, endless: true));
        await Assert.ThrowsAsync<RefusedRequestException>(() => reader.ReadHeadAsync(CancellationToken.None).AsTask().WaitAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public Task Refuses_a_long_request_line() => AssertRefusedAsync("GET /" + new string('a', RequestReader.MaxRequestLine), 414);

    [Fact]
    public Task Refuses_a_long_request_line_that_is_complete() =>
        AssertRefusedAsync("GET /" + new string('a', RequestReader.MaxRequestLine) + " HTTP/1.1\r\nHost: h\r\n\r\n", 414);

    [Fact]
    public async Task Takes_a_request_line_of_the_limit()
    {
        string target = "/" + new string('a', RequestReader.MaxRequestLine - "GET / HTTP/1.1\r".Length);
        using var reader = new RequestReader(new Chunks($"GET {target} HTTP/1.1\r\nHost: h\r\n\r\n", 1000));
        Assert.Equal(target, (await reader.ReadHeadAsync(CancellationToken.None)).Target);
    }

    [Fact]
    public Task Refuses_too_many_fields() => AssertRefusedAsync(Head(RequestReader.MaxFields + 1, 1), 431);

    [Fact]
    public async Task Takes_as_many_fields_as_allowed()
    {
        using var reader = new RequestReader(new Chunks(Head(RequestReader.MaxFields, 1), 1000));
        Assert.Equal(RequestReader.MaxFields, (await reader.ReadHeadAsync(CancellationToken.None)).Headers.Count);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(1_000_000)]
    public Task Refuses_fields_that_are_too_large(int chunk) => AssertRefusedAsync(Head(20, 2000), 431, chunk);

    [Fact]
    public Task Refuses_one_endless_field() => AssertRefusedAsync("GET / HTTP/1.1\r\nX: " + new string('x', 100_000), 431);

    [Theory]
    [InlineData("GET / HT")]
    [InlineData("GET / HTTP/1.1\r\nHost: h\r\n")]
    public async Task Tells_when_the_stream_ends_inside_a_head(string text)
    {
        using var reader = new RequestReader(new Chunks(text, 100));
        await Assert.ThrowsAsync<EndOfStreamException>(async () => await reader.ReadHeadAsync(CancellationToken.None));
    }

    [Fact]
    public async Task Tells_when_the_stream_ends_inside_a_body()
    {
        using var reader = new RequestReader(new Chunks(Simple + "123", 100));
        await reader.ReadHeadAsync(CancellationToken.None);
        await Assert.ThrowsAsync<EndOfStreamException>(async () => await reader.SkipAsync(4, CancellationToken.None));
    }

    // Any byte changed, inserted or left out: an answer or a refusal, never another exception or an endless loop.
    [Fact]
    public async Task Survives_mutations()
    {
        const string Seed = "GET /a/b%20c?d HTTP/1.1\r\nHost: h:1\r\nRange: bytes=1-2\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc" + Simple;
        var random = new Random(4711);
        for (int i = 0; i < 20_000; i++)
        {
            StringBuilder text = new(Seed);
            for (int n = random.Next(1, 4); n > 0; n--)
            {
                int position = random.Next(text.Length);
                char c = "\0\t\n\r %/.:;,\"\u007f\u0080\u00ffA0"[random.Next(17)];
                switch (random.Next(3))
                {
                    case 0:
                        text[position] = c;
                        break;
                    case 1:
                        text.Insert(position, c);
                        break;
                    default:
                        text.Remove(position, 1);
                        break;
                }
            }

            await ReadAllAsync(text.ToString());
        }
    }

    private static async Task ReadAllAsync(string text)
    {
        using var reader = new RequestReader(new Chunks(text, 60));
        try
        {
            while (await reader.WaitAsync(CancellationToken.None))
            {
                HttpRequest request = await reader.ReadHeadAsync(CancellationToken.None);
                _ = RequestPath.Parse(request.Target);
                await reader.SkipAsync(request.ContentLength, CancellationToken.None);
            }
        }
        catch (Exception e) when (e is RefusedRequestException or EndOfStreamException)
        {
        }
    }

    private static string Head(int fields, int size) =>
        "GET / HTTP/1.1\r\nHost: h\r\n" + string.Concat(Enumerable.Range(1, fields - 1).Select(i => $"X{i}: {new string('x', size)}\r\n")) + "\r\n";

    private static async Task AssertRefusedAsync(string text, int status, int chunk = 1000)
    {
        using var reader = new RequestReader(new Chunks(text, chunk));
        var e = await Assert.ThrowsAsync<RefusedRequestException>(async () => await reader.ReadHeadAsync(CancellationToken.None));
        Assert.Equal(status, e.Status);
    }

    /// <summary>Text that arrives in pieces; after it nothing, or the end.</summary>
    private sealed class Chunks(string text, int size, bool endless = false) : MemoryStream(Encoding.Latin1.GetBytes(text))
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            int count = Read(buffer.Span[..Math.Min(size, buffer.Length)]);
            if (count == 0 && endless)
            {
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }

            return count;
        }
    }
}
