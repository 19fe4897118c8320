using System.Net.Sockets;
using KTls.Kernel;

namespace KTls.DataPlane;

/// <summary>
/// Sockets whose streams are gone while TCP has no room yet for their last records: a close would throw these away. As after a close
/// of plain TCP, what was written goes out in the background, but not for ever and not for any number of peers that take nothing.
/// </summary>
internal sealed class LingeringSockets(int limit, TimeSpan patience)
{
    private readonly Lock _list = new();
    private readonly LinkedList<CancellationTokenSource> _oldestFirst = [];

    /// <summary>Those of the process: at most 256, each for at most 30 seconds.</summary>
    public static LingeringSockets Shared { get; } = new(256, TimeSpan.FromSeconds(30));

    public int Count
    {
        get
        {
            lock (_list)
            {
                return _oldestFirst.Count;
            }
        }
    }

    /// <summary>Closes a socket once TCP has room; when there are too many, the oldest is aborted for it.</summary>
    /// <param name="socket">The socket, which is taken over.</param>
    /// <param name="rest">What has to be sent yet, sealed.</param>
    public void Add(Socket socket, ReadOnlyMemory<byte> rest = default) => _ = CloseWhenSentAsync(socket, rest);

    private async Task CloseWhenSentAsync(Socket socket, ReadOnlyMemory<byte> rest)
    {
        using (socket)
        {
            using var enough = new CancellationTokenSource(patience);
            LinkedListNode<CancellationTokenSource> place = TakePlace(enough);
            try
            {
                using var transport = new KernelSocket(socket.SafeHandle);
                await transport.SendAsync(rest, enough.Token).ConfigureAwait(false);
                await transport.FlushAsync(enough.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                // The rest is lost. A reset tells the peer so, where a FIN would look like an end.
                socket.LingerState = new LingerOption(enable: true, seconds: 0);
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                // The peer is gone: nobody is left to be told.
            }
            finally
            {
                LeavePlace(place);
            }
        }
    }

    private LinkedListNode<CancellationTokenSource> TakePlace(CancellationTokenSource mine)
    {
        CancellationTokenSource? oldest = null;
        LinkedListNode<CancellationTokenSource> place;
        lock (_list)
        {
            if (_oldestFirst.Count >= limit)
            {
                oldest = _oldestFirst.First!.Value;
                _oldestFirst.RemoveFirst();
            }

            place = _oldestFirst.AddLast(mine);
        }

        try
        {
            oldest?.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has just finished by itself.
        }

        return place;
    }

    private void LeavePlace(LinkedListNode<CancellationTokenSource> place)
    {
        lock (_list)
        {
            if (place.List is not null)
            {
                _oldestFirst.Remove(place);
            }
        }
    }
}
