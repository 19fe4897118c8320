using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using KestrelSite.Rpc;

namespace KTls.Kestrel.Tests;

/// <summary>.NET's gRPC client and the sample KestrelSite.</summary>
public sealed class GrpcTests
{
    [Theory]
    [MemberData(nameof(RunningSite.Kinds), MemberType = typeof(RunningSite))]
    public async Task One_connection_serves_calls_streams_and_what_comes_after_cancelled_ones(string arguments, string plane)
    {
        await using RunningSite site = await RunningSite.StartAsync(arguments);
        int connections = 0;
        using var handler = new SocketsHttpHandler
        {
            SslOptions = RunningSite.AnyCertificate,
            ConnectCallback = async (context, cancellation) =>
            {
                Interlocked.Increment(ref connections);
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(context.DnsEndPoint, cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        using var channel = GrpcChannel.ForAddress(site.Address, new GrpcChannelOptions { HttpHandler = handler });
        var calls = new SiteCalls.SiteCallsClient(channel);

        await AssertServedByAsync(calls, plane);
        await AssertEchoesAsync(calls);

        // A call that the server would answer only to a message that never comes.
        using (AsyncDuplexStreamingCall<EchoMessage, EchoMessage> late = calls.Echo(deadline: DateTime.UtcNow.AddMilliseconds(300)))
        {
            RpcException e = await Assert.ThrowsAsync<RpcException>(() => late.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(RunningSite.Patience));
            Assert.Equal(StatusCode.DeadlineExceeded, e.StatusCode);
        }

        using var cancellation = new CancellationTokenSource();
        using (AsyncDuplexStreamingCall<EchoMessage, EchoMessage> unwanted = calls.Echo(cancellationToken: cancellation.Token))
        {
            await unwanted.RequestStream.WriteAsync(new EchoMessage { Data = ByteString.CopyFromUtf8("one") });
            Assert.True(await unwanted.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(RunningSite.Patience));
            await cancellation.CancelAsync();
            RpcException e = await Assert.ThrowsAsync<RpcException>(() => unwanted.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(RunningSite.Patience));
            Assert.Equal(StatusCode.Cancelled, e.StatusCode);
        }

        await AssertEchoesAsync(calls);
        await AssertServedByAsync(calls, plane);
        Assert.Equal(1, connections);
    }

    private static async Task AssertServedByAsync(SiteCalls.SiteCallsClient calls, string plane)
    {
        ConnectionReply reply = await calls.GetConnectionAsync(new ConnectionRequest(), deadline: DateTime.UtcNow + RunningSite.Patience);
        Assert.Equal((plane, RunningSite.Receiving(plane)), (reply.Sending, reply.Receiving));
        Assert.Equal(("HTTP/2", "Tls13"), (reply.Http, reply.Tls));
        Assert.NotEmpty(reply.CipherSuite);
        Assert.NotEmpty(reply.SendingReason);
        Assert.NotEmpty(reply.ReceivingReason);
    }

    // Small messages of all lengths up to some hundreds, and among them one of many records, larger than HTTP/2's windows.
    private static async Task AssertEchoesAsync(SiteCalls.SiteCallsClient calls)
    {
        byte[][] messages = [.. from length in Enumerable.Range(0, 300) select RandomNumberGenerator.GetBytes(length == 150 ? 1 << 20 : length)];
        using AsyncDuplexStreamingCall<EchoMessage, EchoMessage> call = calls.Echo(deadline: DateTime.UtcNow + RunningSite.Patience);
        async Task SendAsync()
        {
            foreach (byte[] message in messages)
            {
                await call.RequestStream.WriteAsync(new EchoMessage { Data = ByteString.CopyFrom(message) });
            }

            await call.RequestStream.CompleteAsync();
        }

        Task sending = SendAsync();
        int received = 0;
        await foreach (EchoMessage message in call.ResponseStream.ReadAllAsync())
        {
            Assert.True(message.Data.Span.SequenceEqual(messages[received]), $"Message {received} came back as something else.");
            received++;
        }

        await sending;
        Assert.Equal(messages.Length, received);
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }
}
