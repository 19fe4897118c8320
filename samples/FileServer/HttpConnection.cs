using FileServer.Files;
using FileServer.Http;
using KTls;

namespace FileServer;

/// <summary>How a connection ended.</summary>
/// <param name="Reason">For the log.</param>
/// <param name="IsClean">
/// False: what the client has got is not whole, and it must not take it for whole. Then the connection is torn down.
/// </param>
internal readonly record struct Ending(string Reason, bool IsClean = true);

/// <summary>The requests of one connection, one after the other, answered on a TLS stream.</summary>
internal sealed class HttpConnection : IDisposable
{
    // A client gets the whole idle time for each piece, so a slow one is served and one that has stopped is not.
    // A multiple of the largest TLS record, 16 KiB: every piece but the last is full records.
    private const long PieceSize = 256 * 1024;

    // A longer body is not worth reading to keep a connection.
    private const long MaxSkippedBody = 64 * 1024;

    private readonly KTlsStream _stream;
    private readonly Responder _responder;
    private readonly TimeSpan _idleTimeout;
    private readonly CancellationToken _stopping;
    private readonly CancellationToken _aborting;
    private readonly RequestReader _reader;
    private readonly Deadline _deadline;
    private Step _step;

    /// <param name="stream">The client.</param>
    /// <param name="responder">Answers requests.</param>
    /// <param name="idleTimeout">For each step: waiting for a request, reading it, sending a piece.</param>
    /// <param name="stopping">No further request is wanted.</param>
    /// <param name="aborting">Nor the end of this one.</param>
    public HttpConnection(KTlsStream stream, Responder responder, TimeSpan idleTimeout, CancellationToken stopping, CancellationToken aborting)
    {
        _stream = stream;
        _responder = responder;
        _idleTimeout = idleTimeout;
        _stopping = stopping;
        _aborting = aborting;
        _reader = new RequestReader(stream);
        _deadline = new Deadline(idleTimeout, aborting);
    }

    private enum Step
    {
        Waiting,
        Reading,
        Sending,
    }

    public int Requests { get; private set; }

    /// <summary>Bytes of files sent.</summary>
    public long BytesSent { get; private set; }

    /// <summary>Serves requests until either side has had enough. Throws only what nobody expects.</summary>
    public async Task<Ending> RunAsync()
    {
        try
        {
            while (await WaitForRequestAsync().ConfigureAwait(false))
            {
                if (await ServeRequestAsync().ConfigureAwait(false) is { } ending)
                {
                    return ending;
                }
            }

            return new Ending(_stream.CloseNotifyReceived == false ? "the client closed TCP without close_notify" : "the client closed");
        }
        catch (OperationCanceledException)
        {
            return await ExplainCancellationAsync().ConfigureAwait(false);
        }
        catch (EndOfStreamException)
        {
            return new Ending("the client closed inside a request");
        }
        catch (FileReadException e)
        {
            return new Ending(e.Message, IsClean: false);
        }
        catch (IOException e)
        {
            return new Ending($"the connection broke: {e.Message}", IsClean: false);
        }
    }

    public void Dispose()
    {
        _reader.Dispose();
        _deadline.Dispose();
    }

    private async ValueTask<bool> WaitForRequestAsync()
    {
        _step = Step.Waiting;
        _deadline.Restart();
        using var untilStop = CancellationTokenSource.CreateLinkedTokenSource(_deadline.Token, _stopping);
        return await _reader.WaitAsync(untilStop.Token).ConfigureAwait(false);
    }

    // Returns null to go on.
    private async ValueTask<Ending?> ServeRequestAsync()
    {
        HttpRequest? request = null;
        try
        {
            _step = Step.Reading;
            _deadline.Restart();
            request = await _reader.ReadHeadAsync(_deadline.Token).ConfigureAwait(false);
            bool isBodyGone = await TrySkipBodyAsync(request).ConfigureAwait(false);
            using Response response = _responder.Answer(request);
            bool keepAlive = request.KeepAlive && isBodyGone && !_stopping.IsCancellationRequested;
            return await SendAsync(response, request, keepAlive).ConfigureAwait(false) is { } ending ? ending
                : keepAlive ? null
                : new Ending(_stopping.IsCancellationRequested ? "the server stops" : request.KeepAlive ? "an unread request body" : "Connection: close");
        }
        catch (RefusedRequestException e)
        {
            using Response response = Response.OfStatus(e.Status, e.Message);
            await SendAsync(response, request, keepAlive: false).ConfigureAwait(false);
            return new Ending($"refused with {e.Status}: {e.Message}");
        }
    }

    // A body on GET means nothing, but it stands before the next request. A client that waits for 100 (Continue) may or may
    // not send its body after a final status, so where the next request would start is unknown (RFC 9110 §10.1.1).
    private async ValueTask<bool> TrySkipBodyAsync(HttpRequest request)
    {
        if (request.ContentLength == 0)
        {
            return true;
        }

        if (request.ExpectsContinue || request.ContentLength > MaxSkippedBody)
        {
            return false;
        }

        await _reader.SkipAsync(request.ContentLength, _deadline.Token).ConfigureAwait(false);
        return true;
    }

    // Returns null when all is out.
    private async ValueTask<Ending?> SendAsync(Response response, HttpRequest? request, bool keepAlive)
    {
        _step = Step.Sending;
        Requests++;
        string? connection = !keepAlive ? "close" : request!.IsHttp11 ? null : "keep-alive";
        bool isHead = request?.Method == "HEAD";
        byte[] head = response.ToBytes(connection, isHead, DateTimeOffset.UtcNow);
        _deadline.Restart();
        await _stream.WriteAsync(head, _deadline.Token).ConfigureAwait(false);
        return response.File is { } file && !isHead
            ? await SendFileAsync(file, response.Part).ConfigureAwait(false)
            : null;
    }

    private async ValueTask<Ending?> SendFileAsync(StaticFile file, ByteRange part)
    {
        long sent = 0;
        while (sent < part.Count)
        {
            long wanted = Math.Min(PieceSize, part.Count - sent);
            _deadline.Restart();
            long count = await _stream.SendFileAsync(file.Handle, part.Offset + sent, wanted, _deadline.Token).ConfigureAwait(false);
            sent += count;
            BytesSent += count;
            if (count < wanted)
            {
                // Somebody has cut the file. The promised length can no longer be kept.
                return new Ending($"{file.Name} ended {part.Count - sent} bytes early", IsClean: false);
            }
        }

        return null;
    }

    private async ValueTask<Ending> ExplainCancellationAsync()
    {
        if (_aborting.IsCancellationRequested)
        {
            return new Ending("the server stops and waits no longer", IsClean: false);
        }

        switch (_step)
        {
            case Step.Waiting:
                return new Ending(_stopping.IsCancellationRequested ? "the server stops" : $"no request for {_idleTimeout.TotalSeconds} s");
            case Step.Reading:
                await SendTimeoutAsync().ConfigureAwait(false);
                return new Ending($"half a request for {_idleTimeout.TotalSeconds} s");
            default:
                return new Ending($"the client took nothing for {_idleTimeout.TotalSeconds} s", IsClean: false);
        }
    }

    // A courtesy to a client that sent half a request: if there is no room for it at once, it does not go out.
    private async ValueTask SendTimeoutAsync()
    {
        using Response response = Response.OfStatus(408);
        using var shortly = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        try
        {
            await _stream.WriteAsync(response.ToBytes("close", isHead: false, DateTimeOffset.UtcNow), shortly.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
        }
    }
}
