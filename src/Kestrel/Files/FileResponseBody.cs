using System.Diagnostics;
using System.IO.Pipelines;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace KTls.Kestrel.Files;

/// <summary>
/// The response body of an HTTP/1 connection of ours: Kestrel's own, but for files, which do not come into user space. One for
/// all requests of a connection, as Kestrel's.
/// </summary>
internal sealed class FileResponseBody(ConnectionContext connection, FilePipeWriter output, ILogger logger) : IHttpResponseBodyFeature
{
    // What fits in a record goes out in one with the headers, by one system call.
    private const int MaxCopied = 16 * 1024;

    // Kestrel counts with int; the end of a range is the end of a record.
    private const int MaxRange = 1 << 30;

    // From the last write on Kestrel takes a client that goes away for one that has all. What is more than sockets hold ends with a short one.
    private const int LastRange = 1 << 20;
    private const int MaxAtOnce = 4 * LastRange;

    // In seconds, about as long as a timer runs.
    private const double LongTime = 4e6;

    private HttpContext _http = null!;
    private IHttpResponseBodyFeature _kestrels = null!;

    public Stream Stream => _kestrels.Stream;

    public PipeWriter Writer => _kestrels.Writer;

    /// <summary>Puts it in the place of Kestrel's own body, for this request.</summary>
    public void Serve(HttpContext http)
    {
        IHttpResponseBodyFeature body = http.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        if (body != this)
        {
            _http = http;
            _kestrels = body;
            http.Features.Set<IHttpResponseBodyFeature>(this);
        }
    }

    public void DisableBuffering() => _kestrels.DisableBuffering();

    public Task StartAsync(CancellationToken cancellationToken = default) => _kestrels.StartAsync(cancellationToken);

    public Task CompleteAsync() => _kestrels.CompleteAsync();

    public async Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default)
    {
        // What is small, wrong or odd is for Kestrel: a file without a length may be one of /proc, or a pipe.
        long rest = LengthOf(path) - offset;
        long left = count ?? rest;
        if (offset < 0 || left <= MaxCopied || left > rest || !HasRoomFor(left))
        {
            await _kestrels.SendFileAsync(path, offset, count, cancellationToken).ConfigureAwait(false);
            return;
        }

        cancellationToken.ThrowIfCancellationRequested();
        using SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        await _kestrels.StartAsync(cancellationToken).ConfigureAwait(false);
        while (left > 0)
        {
            int length = (int)(left <= MaxAtOnce ? left : Math.Min(left - LastRange, MaxRange));
            var range = new FileRange(file, offset, length);
            if (!HasRoomFor(left) || !TryGive(range))
            {
                await _kestrels.SendFileAsync(path, offset, left, cancellationToken).ConfigureAwait(false);
                return;
            }

            Log.SendsFile(logger, connection.ConnectionId, length, path);

            if (await WaitAsync(range, cancellationToken).ConfigureAwait(false) is { } failure)
            {
                // The pipe is closed, which this tells Kestrel. To write to a client that is gone is no error.
                await Writer.FlushAsync(CancellationToken.None).ConfigureAwait(false);

                // Before the token, which is RequestAborted as a rule: this abort cancels it, and nobody would be told.
                if (failure is FileTooShortException or FileReadException)
                {
                    Log.FileFailed(logger, connection.ConnectionId, path, failure.Message);
                    throw new IOException(failure.Message, failure);
                }

                cancellationToken.ThrowIfCancellationRequested();
                return;
            }

            offset += length;
            left -= length;
        }
    }

    // FileInfo tells the length of a link, not of the file behind it. A link without one is for Kestrel: it has no length that counts.
    private static long LengthOf(string path)
    {
        var file = new FileInfo(path);
        return file.Exists && file.Attributes.HasFlag(FileAttributes.ReparsePoint) && file.ResolveLinkTarget(returnFinalTarget: true) is FileInfo { Exists: true } target
            ? target.Length
            : file.Length;
    }

    // Without a Content-Length there would have to be a frame around each chunk (RFC 9112 §7.1).
    private bool HasRoomFor(long count) => count <= _http.Response.ContentLength && _http.Response.Headers.TransferEncoding.Count == 0;

    // Kestrel is asked for memory. If what comes is ours, its writer stands right before the transport, and counts what it passes on.
    private bool TryGive(FileRange range)
    {
        output.Offer(range);
        try
        {
            if (MemoryMarshal.TryGetMemoryManager<byte, FileRange>(Writer.GetMemory(), out FileRange? given, out int start, out int length)
                && given == range && start == 0 && length == range.Memory.Length)
            {
                // For HEAD it goes no further.
                Writer.Advance(length);
                return true;
            }

            return false;
        }
        finally
        {
            output.Offer(null);
        }
    }

    private async Task<Exception?> WaitAsync(FileRange range, CancellationToken cancellationToken)
    {
        // What was promised stands in the pipe: nothing can follow on this connection.
        bool isPassedOn = range.Position >= 0;
        using CancellationTokenRegistration cancellation = !isPassedOn ? default : cancellationToken.UnsafeRegister(
            static connection => ((ConnectionContext)connection!).Abort(new ConnectionAbortedException("The sending of a file was cancelled.")), connection);

        // An empty write, because unlike a flush it has Kestrel see that this was the last one: the client may go away now.
        await Writer.WriteAsync(ReadOnlyMemory<byte>.Empty, CancellationToken.None).ConfigureAwait(false);
        if (!isPassedOn)
        {
            return null;
        }

        MinDataRate? rate = _http.Features.Get<IHttpMinResponseDataRateFeature>()?.MinDataRate;
        if (rate is not null && !await IsFastEnoughAsync(range, rate).ConfigureAwait(false))
        {
            Log.TooSlow(logger, connection.ConnectionId);
            connection.Abort(new ConnectionAbortedException("The client took a file more slowly than MinResponseDataRate allows."));
        }

        return await range.Ended.ConfigureAwait(false);
    }

    // Kestrel times its own pipe, where a file takes no room. The same rule: the bytes that were given out so far, at the minimum rate.
    private static async Task<bool> IsFastEnoughAsync(FileRange range, MinDataRate rate)
    {
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            double seconds = Math.Max(rate.GracePeriod.TotalSeconds, (range.Sent + FileRange.Step) / rate.BytesPerSecond);
            TimeSpan left = TimeSpan.FromSeconds(Math.Min(seconds, LongTime)) - Stopwatch.GetElapsedTime(start);
            if (left <= TimeSpan.Zero)
            {
                return false;
            }

            try
            {
                await range.Ended.WaitAsync(left).ConfigureAwait(false);
                return true;
            }
            catch (TimeoutException)
            {
                // More may be out by now.
            }
        }
    }
}
