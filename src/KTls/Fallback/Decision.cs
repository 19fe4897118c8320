namespace KTls.Fallback;

/// <summary>Who serves a connection.</summary>
internal enum Choice
{
    /// <summary>Our handshake; then the kernel, as far as it takes the keys.</summary>
    Kernel,

    /// <summary>Our handshake and our own record layer.</summary>
    UserSpace,

    /// <summary>SslStream, from the first byte on.</summary>
    SslStream,

    /// <summary>Nobody: an error names the obstacle.</summary>
    Refuse,
}

/// <summary>
/// Who serves a connection, and why it is not the kernel. It is made as the facts become known, before our first byte: first the
/// options, then the platform and the kernel, last, on a server, the ClientHello. docs/FALLBACK.md has it as a table.
/// </summary>
/// <param name="Choice">Who.</param>
/// <param name="Obstacle">Why not the kernel; null when it is.</param>
internal readonly record struct Decision(Choice Choice, Obstacle? Obstacle)
{
    /// <summary>Decides. A pure function: nothing else plays a part.</summary>
    /// <param name="dataPlane">Who is wanted.</param>
    /// <param name="fallback">Whether SslStream may serve.</param>
    /// <param name="isLinux">Whether the platform is Linux: our I/O is.</param>
    /// <param name="handshake">What our handshake cannot do: an option, or what the client offers; null: nothing yet.</param>
    /// <param name="kernel">What keeps the kernel from it; null: nothing yet.</param>
    public static Decision Make(DataPlanePolicy dataPlane, FallbackPolicy fallback, bool isLinux, Obstacle? handshake, Obstacle? kernel)
    {
        if (dataPlane == DataPlanePolicy.SslStream)
        {
            return new Decision(Choice.SslStream, Obstacle.SwitchedOff);
        }

        if ((isLinux ? handshake : Obstacle.NotLinux) is { } obstacle)
        {
            bool isRefused = dataPlane == DataPlanePolicy.RequireKernel || fallback == FallbackPolicy.Forbid;
            return new Decision(isRefused ? Choice.Refuse : Choice.SslStream, obstacle);
        }

        return (dataPlane, kernel) switch
        {
            (DataPlanePolicy.UserSpace, _) => new Decision(Choice.UserSpace, Obstacle.SwitchedOff),
            (_, null) => new Decision(Choice.Kernel, null),
            (DataPlanePolicy.RequireKernel, _) => new Decision(Choice.Refuse, kernel),
            _ => new Decision(fallback == FallbackPolicy.Forbid ? Choice.UserSpace : Choice.SslStream, kernel),
        };
    }
}
