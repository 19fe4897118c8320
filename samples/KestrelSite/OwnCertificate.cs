using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;

namespace KestrelSite;

/// <summary>A certificate for localhost that this program makes and signs itself, so that the site runs without any set-up.</summary>
internal static class OwnCertificate
{
    /// <summary>Endpoints whose certificate the configuration does not name, as ASP.NET Core reads it (Kestrel:Certificates:Default), get one of our own.</summary>
    public static void UseWhereNoneIsConfigured(WebApplicationBuilder builder)
    {
        if (!builder.Configuration.GetSection("Kestrel:Certificates:Default").Exists())
        {
            X509Certificate2 certificate = Make();
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureHttpsDefaults(https => https.ServerCertificate = certificate));
        }
    }

    private static X509Certificate2 Make()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        request.CertificateExtensions.Add(names.Build());
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddDays(30));
    }
}
