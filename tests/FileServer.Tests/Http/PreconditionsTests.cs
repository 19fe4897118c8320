using FileServer.Http;
using static FileServer.Http.Preconditions;

namespace FileServer.Tests.Http;

public sealed class PreconditionsTests
{
    private const string Tag = "\"abc,d\"";
    private const string Before = "Sun, 06 Nov 1994 08:49:36 GMT";
    private const string Modified = "Sun, 06 Nov 1994 08:49:37 GMT";
    private const string After = "Sun, 06 Nov 1994 08:49:38 GMT";
    private static readonly DateTimeOffset LastModified = new(1994, 11, 6, 8, 49, 37, TimeSpan.Zero);

    [Theory]
    [InlineData(Tag, Result.NotModified)]
    [InlineData("W/" + Tag, Result.NotModified)]
    [InlineData("*", Result.NotModified)]
    [InlineData("\"x\", W/\"y\" ," + Tag, Result.NotModified)]
    [InlineData(",, \"x\"," + Tag, Result.NotModified)]
    [InlineData("\"x\"", Result.Proceed)]
    [InlineData("\"abc\", d\"", Result.Proceed)]
    [InlineData("abc,d", Result.Proceed)]
    [InlineData("w/" + Tag, Result.Proceed)]
    [InlineData("\"*\"", Result.Proceed)]
    [InlineData("", Result.Proceed)]
    [InlineData("\"", Result.Proceed)]
    [InlineData("W/", Result.Proceed)]
    public void If_none_match(string value, object expected) => Assert.Equal(expected, Evaluate(("If-None-Match", value)));

    [Theory]
    [InlineData(Before, Result.Proceed)]
    [InlineData(Modified, Result.NotModified)]
    [InlineData(After, Result.NotModified)]
    [InlineData("Sunday, 06-Nov-94 08:49:37 GMT", Result.NotModified)]
    [InlineData("Sun Nov  6 08:49:37 1994", Result.NotModified)]
    [InlineData("Sun Nov  6 08:49:36 1994", Result.Proceed)]
    [InlineData("yesterday", Result.Proceed)]
    public void If_modified_since(string value, object expected) => Assert.Equal(expected, Evaluate(("If-Modified-Since", value)));

    [Fact]
    public void A_tag_counts_more_than_a_date() =>
        Assert.Equal(Result.Proceed, Evaluate(("If-None-Match", "\"x\""), ("If-Modified-Since", After)));

    [Theory]
    [InlineData(Tag, Result.Proceed)]
    [InlineData("*", Result.Proceed)]
    [InlineData("\"x\", " + Tag, Result.Proceed)]
    [InlineData("W/" + Tag, Result.Failed)]
    [InlineData("\"x\"", Result.Failed)]
    public void If_match(string value, object expected) => Assert.Equal(expected, Evaluate(("If-Match", value)));

    [Theory]
    [InlineData(Before, Result.Failed)]
    [InlineData(Modified, Result.Proceed)]
    public void If_unmodified_since(string value, object expected) => Assert.Equal(expected, Evaluate(("If-Unmodified-Since", value)));

    [Fact]
    public void Several_fields_are_one_list() =>
        Assert.Equal(Result.NotModified, Evaluate(("If-None-Match", "\"x\""), ("If-None-Match", Tag)));

    [Theory]
    [InlineData(null, true)]
    [InlineData(Tag, true)]
    [InlineData("W/" + Tag, false)]
    [InlineData("\"x\"", false)]
    [InlineData(Modified, true)]
    [InlineData(After, false)]
    [InlineData("nonsense", false)]
    public void If_range(string? value, bool counts) =>
        Assert.Equal(counts, RangeCounts(value is null ? new HeaderFields() : Fields(("If-Range", value)), Tag, LastModified));

    private static object Evaluate(params (string, string)[] fields) => Preconditions.Evaluate(Fields(fields), Tag, LastModified);

    private static HeaderFields Fields(params (string Name, string Value)[] fields)
    {
        var headers = new HeaderFields();
        foreach ((string name, string value) in fields)
        {
            headers.Add(name, value);
        }

        return headers;
    }
}
