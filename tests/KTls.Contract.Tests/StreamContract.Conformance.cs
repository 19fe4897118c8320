using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace KTls.Contract.Tests;

/// <content>What .NET tests of its own streams, as far as the other parts do not.</content>
public abstract partial class StreamContract
{
    [Fact]
    public async Task A_copy_has_everything()
    {
        byte[] sent = RandomNumberGenerator.GetBytes(300_001);
        foreach (bool isAsync in new[] { true, false })
        {
            await using Pair pair = await ConnectAsync();
            Task writing = Task.Run(async () =>
            {
                await pair.Client.WriteAsync(sent);
                await ShutdownAsync(pair.Client);
            });
            var copy = new MemoryStream();
            await (isAsync ? pair.Server.CopyToAsync(copy) : Task.Run(() => pair.Server.CopyTo(copy))).WaitAsync(Patience);
            await writing.WaitAsync(Patience);
            Assert.True(sent.AsSpan().SequenceEqual(copy.ToArray()));
        }
    }

    /// <summary>A buffer need not be an array.</summary>
    [Fact]
    public async Task Native_memory_is_read_into_and_written_from()
    {
        using var memory = new NativeMemory(100_000);
        byte[] sent = RandomNumberGenerator.GetBytes(50_000);
        sent.CopyTo(memory.Memory);
        await using Pair pair = await ConnectAsync();
        Task writing = pair.Client.WriteAsync(memory.Memory[..sent.Length]).AsTask();
        await pair.Server.ReadExactlyAsync(memory.Memory[50_000..]).AsTask().WaitAsync(Patience);
        await writing.WaitAsync(Patience);
        Assert.True(memory.Memory.Span[50_000..].SequenceEqual(sent));
    }

    [Fact]
    public async Task A_synchronous_empty_read_waits_and_takes_nothing()
    {
        await using Pair pair = await ConnectAsync();
        Task<int> waiting = Task.Run(() => pair.Server.Read([], 0, 0));
        await Task.Delay(100);
        Assert.False(waiting.IsCompleted);
        await pair.Client.WriteAsync(new byte[] { 6 });
        Assert.Equal(0, await waiting.WaitAsync(Patience));
        Assert.Equal(6, await Task.Run(pair.Server.ReadByte).WaitAsync(Patience));
    }

    /// <summary>An empty write while a read waits, and between data, changes nothing for the other end.</summary>
    [Fact]
    public async Task Empty_writes_do_not_end_the_stream()
    {
        await using Pair pair = await ConnectAsync();
        for (byte i = 0; i < 5; i++)
        {
            await pair.Client.WriteAsync(ReadOnlyMemory<byte>.Empty);
            pair.Client.Write([], 0, 0);
            await pair.Client.WriteAsync(new[] { i });
            byte[] one = new byte[1];
            Assert.Equal(1, await pair.Server.ReadAsync(one).AsTask().WaitAsync(Patience));
            Assert.Equal(i, one[0]);
        }
    }

    /// <summary>Whoever awaits goes on where it was, unless it says that it does not care.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_await_goes_on_in_its_context(bool continueOnCapturedContext)
    {
        await using Pair pair = await ConnectAsync();
        using var context = new SingleThread();
        Task<bool> wentOn = context.Run(async () =>
        {
            await pair.Server.ReadAsync(new byte[1]).ConfigureAwait(continueOnCapturedContext);
            return SynchronizationContext.Current == context;
        });
        await Task.Delay(50);
        await pair.Client.WriteAsync(new byte[1]);
        Assert.Equal(continueOnCapturedContext, await wentOn.WaitAsync(Patience));
    }

    [Fact]
    public async Task Small_messages_go_both_ways_at_once()
    {
        const int Count = 500;
        await using Pair pair = await ConnectAsync();
        async Task SendAsync(Stream stream)
        {
            for (int i = 0; i < Count; i++)
            {
                await stream.WriteAsync(new[] { (byte)i, (byte)(i >> 8) });
            }
        }

        async Task ReceiveAsync(Stream stream)
        {
            byte[] message = new byte[2];
            for (int i = 0; i < Count; i++)
            {
                await stream.ReadExactlyAsync(message);
                Assert.Equal([(byte)i, (byte)(i >> 8)], message);
            }
        }

        await Task.WhenAll(SendAsync(pair.Client), SendAsync(pair.Server), ReceiveAsync(pair.Client), ReceiveAsync(pair.Server)).WaitAsync(Patience);
    }

    [Fact]
    public async Task A_disposed_stream_says_so_in_every_call()
    {
        await using Pair pair = await ConnectAsync();
        Stream stream = pair.Server;
        await stream.DisposeAsync();
        Assert.Throws<ObjectDisposedException>(() => stream.ReadByte());
        Assert.Throws<ObjectDisposedException>(() => stream.WriteByte(1));
        Assert.Throws<ObjectDisposedException>(() => stream.Read(new Span<byte>(new byte[1])));
        Assert.Throws<ObjectDisposedException>(() => stream.Write(new ReadOnlySpan<byte>(new byte[1])));
        Assert.Throws<ObjectDisposedException>(() => stream.EndRead(stream.BeginRead(new byte[1], 0, 1, null, null)));
        Assert.Throws<ObjectDisposedException>(() => stream.EndWrite(stream.BeginWrite(new byte[1], 0, 1, null, null)));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await stream.ReadAsync(Memory<byte>.Empty));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await stream.WriteAsync(ReadOnlyMemory<byte>.Empty));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => stream.CopyToAsync(Stream.Null));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => ShutdownAsync(stream));
    }

    private sealed unsafe class NativeMemory(int length) : MemoryManager<byte>
    {
        private readonly void* _start = System.Runtime.InteropServices.NativeMemory.Alloc((nuint)length);

        public override Span<byte> GetSpan() => new(_start, length);

        public override MemoryHandle Pin(int elementIndex = 0) => new((byte*)_start + elementIndex);

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing) => System.Runtime.InteropServices.NativeMemory.Free(_start);
    }

    /// <summary>A context that does one thing after the other, on a thread of its own.</summary>
    private sealed class SingleThread : SynchronizationContext, IDisposable
    {
        private readonly BlockingCollection<(SendOrPostCallback Callback, object? State)> _work = [];

        public SingleThread()
        {
            var thread = new Thread(() =>
            {
                SetSynchronizationContext(this);
                foreach ((SendOrPostCallback callback, object? state) in _work.GetConsumingEnumerable())
                {
                    callback(state);
                }
            })
            { IsBackground = true };
            thread.Start();
        }

        public override void Post(SendOrPostCallback d, object? state) => _work.Add((d, state));

        public Task<T> Run<T>(Func<Task<T>> function)
        {
            var result = new TaskCompletionSource<Task<T>>(TaskCreationOptions.RunContinuationsAsynchronously);
            Post(_ => result.SetResult(function()), null);
            return result.Task.Unwrap();
        }

        public void Dispose() => _work.CompleteAdding();
    }
}
