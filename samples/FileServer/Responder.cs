using System.Globalization;
using FileServer.Files;
using FileServer.Http;

namespace FileServer;

/// <summary>Decides how a request is answered. Knows nothing of connections.</summary>
internal sealed class Responder(FileRoot root)
{
    /// <exception cref="RefusedRequestException">The request target is malformed.</exception>
    public Response Answer(HttpRequest request)
    {
        if (request.Method is not ("GET" or "HEAD"))
        {
            return Response.OfStatus(405).With("Allow", "GET, HEAD");
        }

        RequestPath path = RequestPath.Parse(request.Target);
        return root.TryOpen(path, out StaticFile? file) switch
        {
            FileLookup.Found => Answer(request, file!),
            FileLookup.Folder => Response.OfStatus(301).With("Location", path.FolderLocation),
            FileLookup.Forbidden => Response.OfStatus(403),
            FileLookup.Failed => Response.OfStatus(503),
            _ => Response.OfStatus(404),
        };
    }

    private static Response Answer(HttpRequest request, StaticFile file)
    {
        Response? response = null;
        try
        {
            response = Choose(request, file);
            return response;
        }
        finally
        {
            // The file is open. If it is not the body, nobody else closes it.
            if (response?.File is null)
            {
                file.Dispose();
            }
        }
    }

    private static Response Choose(HttpRequest request, StaticFile file)
    {
        switch (Preconditions.Evaluate(request.Headers, file.Tag, file.LastModified))
        {
            case Preconditions.Result.NotModified:
                return Describe(Response.WithoutBody(304), file);
            case Preconditions.Result.Failed:
                return Response.OfStatus(412);
        }

        // Only GET has ranges (RFC 9110 §14.2).
        string? field = request.Method == "GET" && Preconditions.RangeCounts(request.Headers, file.Tag, file.LastModified)
            ? request.Headers.List("Range")
            : null;
        return ByteRange.Parse(field, file.Length, out ByteRange part) switch
        {
            ByteRange.Result.Part => Describe(Response.OfFile(206, file, part), file)
                .With("Content-Range", string.Create(CultureInfo.InvariantCulture, $"bytes {part.Offset}-{part.Offset + part.Count - 1}/{file.Length}")),
            ByteRange.Result.NotSatisfiable => Response.OfStatus(416)
                .With("Content-Range", string.Create(CultureInfo.InvariantCulture, $"bytes */{file.Length}")),
            _ => Describe(Response.OfFile(200, file, part), file),
        };
    }

    private static Response Describe(Response response, StaticFile file) => response
        .With("ETag", file.Tag)
        .With("Last-Modified", HttpDate.Format(file.LastModified))
        .With("Accept-Ranges", "bytes");
}
