using FileServer.Http;

namespace FileServer.Tests.Http;

public sealed class RequestPathTests
{
    [Theory]
    [InlineData("/", "", true, null)]
    [InlineData("/?q", "", true, "q")]
    [InlineData("/a", "a", false, null)]
    [InlineData("/a/", "a", true, null)]
    [InlineData("/a/b.txt?x=/../y", "a|b.txt", false, "x=/../y")]
    [InlineData("/a%20b/%C3%A4", "a b|ä", false, null)]
    [InlineData("/\u00c3\u00a4", "ä", false, null)]
    [InlineData("/%2561", "%61", false, null)]
    [InlineData("/...", "...", false, null)]
    [InlineData("/..a", "..a", false, null)]
    [InlineData("/a+b", "a+b", false, null)]
    [InlineData("https://host:1/a", "a", false, null)]
    [InlineData("HTTPS://host", "", true, null)]
    [InlineData("https://host?q", "", true, "q")]
    [InlineData("/%252e%252e/x", "%2e%2e|x", false, null)]
    public void Decodes_once(string target, string segments, bool endsWithSlash, string? query)
    {
        RequestPath path = RequestPath.Parse(target);
        Assert.Equal(segments, string.Join('|', path.Segments));
        Assert.Equal(endsWithSlash, path.EndsWithSlash);
        Assert.Equal(query, path.Query);
    }

    [Theory]
    [InlineData("")]
    [InlineData("*")]
    [InlineData("a")]
    [InlineData("host:443")]
    [InlineData("http://host/a")]
    [InlineData("https://")]
    [InlineData("/..")]
    [InlineData("/.")]
    [InlineData("/../etc/passwd")]
    [InlineData("/a/../../etc/passwd")]
    [InlineData("/a/./b")]
    [InlineData("/%2e%2e/etc/passwd")]
    [InlineData("/.%2e/etc/passwd")]
    [InlineData("/%2E%2E%2fetc/passwd")]
    [InlineData("/a%2fb")]
    [InlineData("/a%5cb")]
    [InlineData("/a\\b")]
    [InlineData("/..\\..\\etc")]
    [InlineData("/a%00")]
    [InlineData("/a%0d%0aX:%20y")]
    [InlineData("/a%7f")]
    [InlineData("/%")]
    [InlineData("/%4")]
    [InlineData("/%4g")]
    [InlineData("/%+4")]
    [InlineData("/% 4")]
    [InlineData("/a#b")]
    [InlineData("/%ff")]
    [InlineData("/%c0%ae%c0%ae/etc")]
    [InlineData("/%c0%af")]
    [InlineData("/%ed%a0%80")]
    [InlineData("/%c2%85")]
    public void Refuses_what_is_malformed_or_leads_out(string target) =>
        Assert.Equal(400, Assert.Throws<RefusedRequestException>(() => RequestPath.Parse(target)).Status);

    [Theory]
    [InlineData("//")]
    [InlineData("//evil.example")]
    [InlineData("//evil.example/")]
    [InlineData("/a//b")]
    [InlineData("/.git/config")]
    [InlineData("/.env")]
    [InlineData("/a/.hidden")]
    [InlineData("https://host//evil.example")]
    public void Serves_no_empty_and_no_hidden_names(string target) => Assert.False(RequestPath.Parse(target).IsServed);

    [Fact]
    public void Serves_well_known_names() => Assert.True(RequestPath.Parse("/.well-known/x").IsServed);

    [Theory]
    [InlineData("/a", "/a/")]
    [InlineData("/a?x=1", "/a/?x=1")]
    [InlineData("/a%20b/%C3%A4", "/a%20b/%C3%A4/")]
    [InlineData("/\u00c3\u00a4?\u00c3\u00a4", "/%C3%A4/?%C3%A4")]
    [InlineData("/%3Cb%3E%22", "/%3Cb%3E%22/")]
    [InlineData("/a:b", "/a%3Ab/")]
    public void Makes_a_location_that_stays_on_this_host(string target, string location) =>
        Assert.Equal(location, RequestPath.Parse(target).FolderLocation);
}
