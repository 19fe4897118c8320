using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace KTls.Kestrel.Files;

/// <summary>Gives requests on connections of ours a body that sends files by sendfile, before any middleware sees it.</summary>
internal sealed class FileResponses : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => application =>
    {
        application.Use(static (RequestDelegate serve) => http =>
        {
            // HTTP/2 has frames around each piece of a body.
            if (HttpProtocol.IsHttp11(http.Request.Protocol) || HttpProtocol.IsHttp10(http.Request.Protocol))
            {
                http.Features.Get<FileResponseBody>()?.Serve(http);
            }

            return serve(http);
        });
        next(application);
    };
}
