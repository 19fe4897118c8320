namespace FileServer.Http;

/// <summary>
/// A request that gets an error status and after which the connection ends: where it is unclear where the next request
/// starts, none is read.
/// </summary>
internal sealed class RefusedRequestException(int status, string reason) : Exception(reason)
{
    public int Status { get; } = status;
}
