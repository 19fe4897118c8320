using Grpc.Core;
using KestrelSite.Rpc;

namespace KestrelSite;

/// <summary>The calls of site.proto.</summary>
internal sealed class GrpcCalls : SiteCalls.SiteCallsBase
{
    public override Task<ConnectionReply> GetConnection(ConnectionRequest request, ServerCallContext context)
    {
        ConnectionReport report = ConnectionReport.Of(context.GetHttpContext());
        return Task.FromResult(new ConnectionReply
        {
            Http = report.Http,
            Tls = report.Tls ?? string.Empty,
            CipherSuite = report.CipherSuite ?? string.Empty,
            Group = report.Group ?? string.Empty,
            Sending = report.Sending,
            SendingReason = report.SendingReason,
            Receiving = report.Receiving,
            ReceivingReason = report.ReceivingReason,
        });
    }

    public override async Task Echo(IAsyncStreamReader<EchoMessage> requestStream, IServerStreamWriter<EchoMessage> responseStream, ServerCallContext context)
    {
        await foreach (EchoMessage message in requestStream.ReadAllAsync(context.CancellationToken))
        {
            await responseStream.WriteAsync(message, context.CancellationToken);
        }
    }
}
