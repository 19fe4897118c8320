using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using FileServer.Tests.Support;

namespace FileServer.Tests.EndToEnd;

public sealed class HttpClientTests
{
    [Fact]
    public async Task Serves_requests_of_every_kind()
    {
        await using var server = new TestServer();
        byte[] content = RandomNumberGenerator.GetBytes(100_000);
        server.Folder.Write("file.bin", content);
        using HttpClient client = Connect(server);

        using HttpResponseMessage whole = await client.GetAsync("file.bin");
        Assert.Equal(content, await whole.Content.ReadAsByteArrayAsync());
        Assert.Equal("application/octet-stream", whole.Content.Headers.ContentType!.ToString());
        Assert.NotNull(whole.Headers.Date);
        Assert.False(whole.Headers.ETag!.IsWeak);

        using HttpResponseMessage part = await GetAsync(client, headers => headers.Range = new RangeHeaderValue(1000, 1999));
        Assert.Equal(HttpStatusCode.PartialContent, part.StatusCode);
        Assert.Equal(content[1000..2000], await part.Content.ReadAsByteArrayAsync());
        Assert.Equal("bytes 1000-1999/100000", part.Content.Headers.ContentRange!.ToString());

        using HttpResponseMessage tail = await GetAsync(client, headers => headers.Range = new RangeHeaderValue(null, 10));
        Assert.Equal(content[^10..], await tail.Content.ReadAsByteArrayAsync());

        using HttpResponseMessage beyond = await GetAsync(client, headers => headers.Range = new RangeHeaderValue(100_000, null));
        Assert.Equal(HttpStatusCode.RequestedRangeNotSatisfiable, beyond.StatusCode);
        Assert.Equal("bytes */100000", beyond.Content.Headers.ContentRange!.ToString());

        using HttpResponseMessage several = await GetAsync(client, headers => headers.TryAddWithoutValidation("Range", "bytes=0-1,5-6"));
        Assert.Equal(HttpStatusCode.OK, several.StatusCode);
        Assert.Equal(content.Length, several.Content.Headers.ContentLength);

        using HttpResponseMessage current = await GetAsync(client, headers =>
        {
            headers.Range = new RangeHeaderValue(0, 0);
            headers.IfRange = new RangeConditionHeaderValue(whole.Headers.ETag);
        });
        Assert.Equal(HttpStatusCode.PartialContent, current.StatusCode);

        using HttpResponseMessage outdated = await GetAsync(client, headers =>
        {
            headers.Range = new RangeHeaderValue(0, 0);
            headers.IfRange = new RangeConditionHeaderValue("\"other\"");
        });
        Assert.Equal(HttpStatusCode.OK, outdated.StatusCode);

        using HttpResponseMessage known = await GetAsync(client, headers => headers.IfNoneMatch.Add(whole.Headers.ETag));
        Assert.Equal(HttpStatusCode.NotModified, known.StatusCode);
        Assert.Equal(whole.Headers.ETag, known.Headers.ETag);

        using HttpResponseMessage unchanged = await GetAsync(client, headers => headers.IfModifiedSince = whole.Content.Headers.LastModified);
        Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);

        using HttpResponseMessage another = await GetAsync(client, headers => headers.IfMatch.Add(new EntityTagHeaderValue("\"other\"")));
        Assert.Equal(HttpStatusCode.PreconditionFailed, another.StatusCode);

        using HttpResponseMessage put = await client.PutAsync("file.bin", new ByteArrayContent([1, 2, 3]));
        Assert.Equal(HttpStatusCode.MethodNotAllowed, put.StatusCode);
        Assert.Equal(["GET", "HEAD"], put.Content.Headers.Allow);

        using HttpResponseMessage missing = await client.GetAsync("missing");
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
        client.Dispose();
        await server.LogLineAsync("requests=12 ");
    }

    private static Task<HttpResponseMessage> GetAsync(HttpClient client, Action<HttpRequestHeaders> add)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "file.bin");
        add(request.Headers);
        return client.SendAsync(request);
    }

    private static HttpClient Connect(TestServer server)
    {
        var handler = new SocketsHttpHandler { MaxConnectionsPerServer = 1 };
        handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        return new HttpClient(handler) { BaseAddress = server.Url, Timeout = TimeSpan.FromSeconds(50) };
    }
}
