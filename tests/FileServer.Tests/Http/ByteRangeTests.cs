using FileServer.Http;

namespace FileServer.Tests.Http;

public sealed class ByteRangeTests
{
    [Theory]
    [InlineData("bytes=0-0", 0, 1)]
    [InlineData("bytes=0-99", 0, 100)]
    [InlineData("bytes=10-19", 10, 10)]
    [InlineData("bytes=10-", 10, 90)]
    [InlineData("bytes=99-", 99, 1)]
    [InlineData("bytes=-1", 99, 1)]
    [InlineData("bytes=-100", 0, 100)]
    [InlineData("bytes=-1000", 0, 100)]
    [InlineData("bytes=50-1000", 50, 50)]
    [InlineData("bytes=0-99999999999999999999999", 0, 100)]
    [InlineData("bytes=-99999999999999999999999", 0, 100)]
    [InlineData("Bytes= 1-2 ", 1, 2)]
    public void Finds_the_part(string field, long offset, long count)
    {
        Assert.Equal(ByteRange.Result.Part, ByteRange.Parse(field, 100, out ByteRange range));
        Assert.Equal(new ByteRange(offset, count), range);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("bytes")]
    [InlineData("bytes=")]
    [InlineData("bytes=-")]
    [InlineData("bytes=5")]
    [InlineData("bytes=a-b")]
    [InlineData("bytes=2-1")]
    [InlineData("bytes=--1")]
    [InlineData("bytes=1--2")]
    [InlineData("bytes=+1-2")]
    [InlineData("bytes=1-2,4-5")]
    [InlineData("bytes=1-2, 200-")]
    [InlineData("bytes=-1,-2")]
    [InlineData("bytes=1-2-3")]
    [InlineData("bytes=0x1-2")]
    [InlineData("lines=1-2")]
    public void Ignores_what_is_malformed_or_several_parts(string? field)
    {
        Assert.Equal(ByteRange.Result.Whole, ByteRange.Parse(field, 100, out ByteRange range));
        Assert.Equal(new ByteRange(0, 100), range);
    }

    [Theory]
    [InlineData("bytes=100-")]
    [InlineData("bytes=100-200")]
    [InlineData("bytes=-0")]
    [InlineData("bytes=99999999999999999999999-")]
    public void Tells_when_the_file_does_not_reach_there(string field) =>
        Assert.Equal(ByteRange.Result.NotSatisfiable, ByteRange.Parse(field, 100, out _));

    [Theory]
    [InlineData("bytes=0-")]
    [InlineData("bytes=-5")]
    public void Ignores_ranges_of_an_empty_file(string field)
    {
        Assert.Equal(ByteRange.Result.Whole, ByteRange.Parse(field, 0, out ByteRange range));
        Assert.Equal(0, range.Count);
    }
}
