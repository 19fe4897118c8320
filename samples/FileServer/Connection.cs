using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using KTls;
using Microsoft.Extensions.Logging;

namespace FileServer;

/// <summary>One client: its requests one after the other, until one side has enough.</summary>
internal sealed class Connection : IDisposable
{
    // A body that nobody asked for is read away up to here, so that the answer is not lost in a reset.
    private const int MaxDrained = 256 * 1024;
    private const int BufferSize = HttpRequest.MaxHeadSize;
    private static readonly TimeSpan Linger = TimeSpan.FromSeconds(1);

    private readonly KTlsStream _stream;
    private readonly StaticFiles _files;
    private readonly TimeSpan _idleTimeout;
    private readonly CancellationToken _stopping;
    private readonly CancellationToken _abort;
    private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
    private readonly long _started = Stopwatch.GetTimestamp();
    private int _received;
    private long _requests;
    private long _bytes;

    /// <param name="stream">The client.</param>
    /// <param name="files">What it may have.</param>
    /// <param name="idleTimeout">How long to wait for a request, or for a response to get on.</param>
    /// <param name="stopping">No further request is read.</param>
    /// <param name="abort">Nothing is finished any more.</param>
    public Connection(KTlsStream stream, StaticFiles files, TimeSpan idleTimeout, CancellationToken stopping, CancellationToken abort)
    {
        _stream = stream;
        _files = files;
        _idleTimeout = idleTimeout;
        _stopping = stopping;
        _abort = abort;
    }

    /// <summary>Serves until the end and logs one line.</summary>
    public async Task RunAsync(EndPoint? remote, ILogger logger)
    {
        string end = "closed by the server";
        try
        {
            while (await ServeOneAsync().ConfigureAwait(false))
            {
                _requests++;
            }

            await CloseAsync().ConfigureAwait(false);
        }
        catch (EndOfStreamException e)
        {
            end = e.Message;
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            end = e is OperationCanceledException ? (_stopping.IsCancellationRequested ? "the server stops" : "time is up") : e.Message;
        }
        finally
        {
            Log.Connection(
                logger, remote, _stream.SslProtocol, _stream.NegotiatedCipherSuite, _stream.NegotiatedGroup?.ToString() ?? "-", Printable(_stream.TargetHostName),
                _stream.NegotiatedApplicationProtocol.ToString(), _stream.Sending.Kind, _stream.Receiving.Kind, _requests, _bytes,
                (long)Stopwatch.GetElapsedTime(_started).TotalMilliseconds, end);
        }
    }

    public void Dispose()
    {
        _stream.Dispose();
        ArrayPool<byte>.Shared.Return(_buffer);
    }

    // The name comes from the client: no line breaks into the log, and no novel.
    private static string Printable(string name) =>
        name.Length == 0 ? "-" : string.Concat(name.Take(100).Select(c => char.IsControl(c) ? '?' : c));

    private async Task<bool> ServeOneAsync()
    {
        HttpRequest? request = null;
        try
        {
            request = await ReadHeadAsync().ConfigureAwait(false);
            if (request is null)
            {
                return false;
            }

            return await AnswerAsync(request).ConfigureAwait(false);
        }
        catch (BadRequestException e)
        {
            _requests++;
            await WriteAsync(HttpResponse.Plain(e.Status, keepAlive: false, isHead: request?.Method == "HEAD")).ConfigureAwait(false);
            return false;
        }
    }

    // Null: the client is done.
    private async Task<HttpRequest?> ReadHeadAsync()
    {
        int end;
        while ((end = HttpRequest.FindEnd(_buffer.AsSpan(0, _received))) < 0)
        {
            if (_received == BufferSize)
            {
                throw new BadRequestException(431, "The head is too large.");
            }

            if (_received == 0 && _stopping.IsCancellationRequested)
            {
                return null;
            }

            using CancellationTokenSource idle = Deadline(_received == 0 ? _stopping : _abort);
            int read = await _stream.ReadAsync(_buffer.AsMemory(_received, BufferSize - _received), idle.Token).ConfigureAwait(false);
            if (read == 0)
            {
                return _received == 0 ? null : throw new EndOfStreamException("the client left in the middle of a request");
            }

            _received += read;
        }

        HttpRequest request = HttpRequest.Parse(_buffer.AsSpan(0, end));
        Consume(end);
        return request;
    }

    private void Consume(int count)
    {
        _buffer.AsSpan(count, _received - count).CopyTo(_buffer);
        _received -= count;
    }

    private async Task<bool> AnswerAsync(HttpRequest request)
    {
        bool isHead = request.Method == "HEAD";
        bool keepAlive = request.KeepAlive && !_stopping.IsCancellationRequested && await DrainBodyAsync(request).ConfigureAwait(false);
        if (!isHead && request.Method != "GET")
        {
            await WriteAsync(HttpResponse.Plain(405, keepAlive, isHead, ("Allow", "GET, HEAD"))).ConfigureAwait(false);
            return keepAlive;
        }

        using StaticFile? file = _files.Open(request.Target, out string? redirect);
        if (file is null)
        {
            byte[] answer = redirect is null
                ? HttpResponse.Plain(404, keepAlive, isHead)
                : HttpResponse.Plain(301, keepAlive, isHead, ("Location", redirect));
            await WriteAsync(answer).ConfigureAwait(false);
            return keepAlive;
        }

        await SendAsync(request, file, keepAlive, isHead).ConfigureAwait(false);
        return keepAlive;
    }

    private async Task SendAsync(HttpRequest request, StaticFile file, bool keepAlive, bool isHead)
    {
        string connection = keepAlive ? "keep-alive" : "close";
        if (Conditions.IsNotModified(request, file))
        {
            await WriteAsync(new HttpResponse(304).Header("ETag", file.ETag).Header("Connection", connection).ToBytes()).ConfigureAwait(false);
            return;
        }

        var part = new ByteRange(0, file.Length);
        ByteRange.Outcome outcome = Conditions.IsRangeCurrent(request, file) ? ByteRange.Parse(request["Range"], file.Length, out part) : ByteRange.Outcome.Whole;
        if (outcome == ByteRange.Outcome.NotSatisfiable)
        {
            string all = string.Create(CultureInfo.InvariantCulture, $"bytes */{file.Length}");
            await WriteAsync(HttpResponse.Plain(416, keepAlive, isHead, ("Content-Range", all))).ConfigureAwait(false);
            return;
        }

        HttpResponse response = new HttpResponse(outcome == ByteRange.Outcome.Part ? 206 : 200)
            .Header("Content-Type", file.ContentType)
            .ContentLength(part.Length)
            .Header("Accept-Ranges", "bytes")
            .Header("ETag", file.ETag)
            .Header("Last-Modified", file.LastModified.ToString("r", CultureInfo.InvariantCulture))
            .Header("X-Content-Type-Options", "nosniff")
            .Header("Connection", connection);
        if (outcome == ByteRange.Outcome.Part)
        {
            response.Header("Content-Range", string.Create(CultureInfo.InvariantCulture, $"bytes {part.Offset}-{part.Offset + part.Length - 1}/{file.Length}"));
        }

        await WriteAsync(response.ToBytes()).ConfigureAwait(false);
        if (!isHead)
        {
            await SendFileAsync(file, part).ConfigureAwait(false);
        }
    }

    // In pieces, so that a client which takes nothing for a while is noticed, and a slow one is not.
    private async Task SendFileAsync(StaticFile file, ByteRange part)
    {
        const long Piece = 16 * 1024 * 1024;
        for (long sent = 0; sent < part.Length;)
        {
            using CancellationTokenSource stalled = Deadline(_abort);
            long count = Math.Min(Piece, part.Length - sent);
            long written = await _stream.SendFileAsync(file.Handle, part.Offset + sent, count, stalled.Token).ConfigureAwait(false);
            sent += written;
            _bytes += written;
            if (written < count)
            {
                // The promised length cannot be kept; only the end of the connection tells the client so.
                throw new EndOfStreamException("the file became shorter while it was sent");
            }
        }
    }

    // False: too much, the connection must close.
    private async Task<bool> DrainBodyAsync(HttpRequest request)
    {
        if (request.ContentLength > MaxDrained)
        {
            return false;
        }

        if (request.ContentLength > 0 && string.Equals(request["Expect"], "100-continue", StringComparison.OrdinalIgnoreCase))
        {
            // The client has not sent the body yet, and need not.
            return false;
        }

        long rest = request.ContentLength;
        while (rest > 0)
        {
            if (_received == 0)
            {
                using CancellationTokenSource idle = Deadline(_abort);
                _received = await _stream.ReadAsync(_buffer.AsMemory(0, BufferSize), idle.Token).ConfigureAwait(false);
                if (_received == 0)
                {
                    throw new EndOfStreamException("the client left in the middle of a request");
                }
            }

            int count = (int)Math.Min(rest, _received);
            Consume(count);
            rest -= count;
        }

        return true;
    }

    private async Task WriteAsync(byte[] bytes)
    {
        using CancellationTokenSource stalled = Deadline(_abort);
        await _stream.WriteAsync(bytes, stalled.Token).ConfigureAwait(false);
    }

    // close_notify, then a moment for the client to close first: to close a socket with unread bytes resets the connection,
    // which can destroy what the client has not read yet.
    private async Task CloseAsync()
    {
        using var linger = CancellationTokenSource.CreateLinkedTokenSource(_abort);
        linger.CancelAfter(Linger);
        try
        {
            await _stream.ShutdownAsync(linger.Token).ConfigureAwait(false);
            int drained = 0;
            while (drained < MaxDrained)
            {
                int read = await _stream.ReadAsync(_buffer.AsMemory(0, BufferSize), linger.Token).ConfigureAwait(false);
                if (read == 0)
                {
                    break;
                }

                drained += read;
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The client is gone, or in no hurry: both are fine by now.
        }
    }

    private CancellationTokenSource Deadline(CancellationToken token)
    {
        var source = CancellationTokenSource.CreateLinkedTokenSource(token);
        source.CancelAfter(_idleTimeout);
        return source;
    }
}
