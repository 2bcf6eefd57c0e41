"""What each of Appwrite's official SDKs puts on the wire, for the same four calls.

Those of Node, PHP, Ruby and Go were recorded from the SDKs; those of the others follow their sources and the
HTTP libraries that they use. HOST, PROJECT, SESSION and DATABASE stand for the instance's own.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Transport:
    """One SDK: `headers` of every call, beside them those of a GET or a body, and the contents of query and bodies."""

    name: str
    headers: str
    get: str = ""
    body: str = "content-type: application/json"
    query: str
    row: str
    no_prefs: str = '{"prefs":{}}'
    nothing: str = "{}"

    def head(self, line: str, kind: str) -> str:
        """The head of a request up to its length: the request line, then the headers as the SDK writes them."""
        headers = [*self.headers.replace("COOKIES", COOKIES).strip().splitlines(), *kind.strip().splitlines()]
        return "\r\n".join([line, *(header.strip() for header in headers)]) + "\r\n"


INDEXED = (
    "queries%5B0%5D=%7B%22method%22%3A%22equal%22%2C%22attribute%22%3A%22text%22%2C%22values%22%3A%5B%22a+b%22%5D%7D"
    "&queries%5B1%5D=%7B%22method%22%3A%22limit%22%2C%22values%22%3A%5B5%5D%7D"
)
"""As PHP's `http_build_query`, Go's `url.Values`, Python's requests and `URLSearchParams` write it."""

UNINDEXED = INDEXED.replace("%5B0%5D=", "%5B%5D=").replace("%5B1%5D=", "%5B%5D=")
ROW = '{"rowId":"unique()","data":{"text":"é","stars":3},"permissions":["read(\\"any\\")"]}'
NULLS = ROW.removesuffix("}") + ',"transactionId":null}'
COOKIES = "a_session_PROJECT=SESSION; a_session_PROJECT_legacy=SESSION"
IN_APPLE_STORE = "Path=/; Expires=Mon, 29 Nov 2027 03:16:42 GMT; HttpOnly"
"""What Apple's SDK keeps of a `Set-Cookie`, and sends back, beside the cookie."""

TRANSPORTS = (
    Transport(
        name="web 28.0.0",
        headers="""
            Host: HOST
            Connection: keep-alive
            X-Appwrite-Project: PROJECT
            X-Appwrite-Response-Format: 2.3.0
            X-Fallback-Cookies: {"a_session_PROJECT":"SESSION"}
            x-sdk-language: web
            x-sdk-name: Web
            x-sdk-platform: client
            x-sdk-version: 28.0.0
            User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0
            Accept: application/json
            Origin: http://localhost:3000
            Sec-Fetch-Site: cross-site
            Sec-Fetch-Mode: cors
            Sec-Fetch-Dest: empty
            Referer: http://localhost:3000/
            Accept-Encoding: gzip, deflate, br, zstd
        """,
        query=INDEXED + "&total=false",
        row=ROW,
    ),
    Transport(
        name="node 27.1.0",
        headers="""
            host: HOST
            connection: keep-alive
            x-sdk-name: Node.js
            x-sdk-platform: server
            x-sdk-language: nodejs
            x-sdk-version: 27.1.0
            user-agent: AppwriteNodeJSSDK/27.1.0 (linux; x64) Node.js/v20.20.2
            X-Appwrite-Response-Format: 1.9.5
            X-Appwrite-Session: SESSION
            X-Appwrite-Project: PROJECT
            accept: */*
            accept-language: *
            sec-fetch-mode: cors
            accept-encoding: gzip, deflate
        """,
        query=INDEXED + "&total=false",
        row=ROW,
    ),
    Transport(
        name="deno 17.0.0",
        headers="""
            x-sdk-name: Deno
            x-sdk-platform: server
            x-sdk-language: deno
            x-sdk-version: 17.0.0
            x-appwrite-response-format: 1.8.0
            x-appwrite-project: PROJECT
            x-appwrite-session: SESSION
            user-agent: AppwriteDenoSDK/17.0.0 (linux; x86_64)
            accept: */*
            accept-language: *
            accept-encoding: gzip,br
            host: HOST
        """,
        get="content-type:",
        query=INDEXED + "&total=false",
        row=ROW,
    ),
    Transport(
        name="react native 0.29.0",
        headers="""
            x-sdk-name: React Native
            x-sdk-platform: client
            x-sdk-language: reactnative
            x-sdk-version: 0.29.0
            x-appwrite-response-format: 1.9.2
            x-appwrite-project: PROJECT
            origin: appwrite-android://com.example.shop_app
            Host: HOST
            Connection: Keep-Alive
            Accept-Encoding: gzip
            Cookie: COOKIES
            User-Agent: okhttp/4.12.0
        """,
        query=INDEXED + "&total=false",
        row=ROW,
    ),
    Transport(
        name="python 27.0.0",
        headers="""
            Host: HOST
            user-agent: AppwritePythonSDK/27.0.0 (Linux; x86_64)
            Accept-Encoding: gzip, deflate
            accept: application/json
            Connection: keep-alive
            x-sdk-name: Python
            x-sdk-platform: server
            x-sdk-language: python
            x-sdk-version: 27.0.0
            X-Appwrite-Response-Format: 2.5.0
            X-Appwrite-Session: SESSION
            X-Appwrite-Project: PROJECT
        """,
        get="content-type:",
        query=INDEXED + "&total=false",
        row=ROW.replace("é", "\\u00e9").replace(":", ": ").replace(",", ", "),
        no_prefs='{"prefs": {}}',
    ),
    Transport(
        name="php 27.1.0",
        headers="""
            Host: HOST
            user-agent:AppwritePHPSDK/27.1.0 ()
            x-sdk-name:PHP
            x-sdk-platform:server
            x-sdk-language:php
            x-sdk-version:27.1.0
            X-Appwrite-Response-Format:1.9.5
            x-appwrite-session:SESSION
            X-Appwrite-Project:PROJECT
            accept:application/json
        """,
        body="content-type:application/json",
        query=f"databaseId=DATABASE&tableId=notes&{INDEXED}&total=0",
        row='{"databaseId":"DATABASE","tableId":"notes",' + NULLS.removeprefix("{").replace("é", "\\u00e9"),
        no_prefs='{"prefs":[]}',
        nothing="[]",
    ),
    Transport(
        name="ruby 25.1.0",
        headers="""
            User-Agent: x86_64-linux-gnu:ruby-3.1.2
            X-Sdk-Name: Ruby
            X-Sdk-Platform: server
            X-Sdk-Language: ruby
            X-Sdk-Version: 25.1.0
            X-Appwrite-Response-Format: 1.9.5
            X-Appwrite-Session: SESSION
            X-Appwrite-Project: PROJECT
            Accept-Encoding: gzip;q=1.0,deflate;q=0.6,identity;q=0.3
            Accept: */*
            Connection: close
            Host: HOST
        """,
        get="""
            Content-Length: 0
            Content-Type: application/x-www-form-urlencoded
        """,
        body="Content-Type: application/json",
        query=UNINDEXED.replace("%5B%5D=", "[]=") + "&&total=false&",
        row=ROW,
    ),
    Transport(
        name="go 7.2.0-rc.3",
        headers="""
            Host: HOST
            User-Agent: AppwriteGoSDK/v7.2.0-rc.3 (linux; amd64)
            Accept: application/json
            X-Appwrite-Project: PROJECT
            X-Appwrite-Response-Format: 1.9.6
            X-Appwrite-Session: SESSION
            X-Sdk-Language: go
            X-Sdk-Name: Go
            X-Sdk-Platform: server
            X-Sdk-Version: v7.2.0-rc.3
            Accept-Encoding: gzip
        """,
        body="Content-Type: application/json",
        query=INDEXED + "&total=false",
        row='{"data":{"stars":3,"text":"é"},"permissions":["read(\\"any\\")"],"rowId":"unique()"}',
    ),
    Transport(
        name=".net 4.2.0",
        headers="""
            Host: HOST
            user-agent: AppwriteDotNetSDK/4.2.0 (Unix; Unix 6.1.0)
            x-sdk-name: .NET
            x-sdk-platform: server
            x-sdk-language: dotnet
            x-sdk-version: 4.2.0
            X-Appwrite-Response-Format: 1.9.5
            X-Appwrite-Project: PROJECT
            X-Appwrite-Session: SESSION
            Accept: application/json, application/json
        """,
        body="Content-Type: application/json; charset=utf-8",
        query=(
            "queries[]=%7B%22method%22:%22equal%22,%22attribute%22:%22text%22,%22values%22:[%22a%20b%22]%7D"
            "&queries[]=%7B%22method%22:%22limit%22,%22values%22:[5]%7D&total=False"
        ),
        row=ROW.replace("é", "\\u00E9").replace('\\"', "\\u0022"),
    ),
    Transport(
        name="dart 26.2.0",
        headers="""
            user-agent: AppwriteDartSDK/26.2.0%20(linux;%20Linux%206.1.0)
            x-sdk-name: Dart
            x-sdk-platform: server
            x-sdk-language: dart
            x-sdk-version: 26.2.0
            x-appwrite-response-format: 1.9.6
            x-appwrite-session: SESSION
            x-appwrite-project: PROJECT
            accept: application/json
            accept-encoding: gzip
            host: HOST
        """,
        get="content-type: application/json",
        query=UNINDEXED + "&total=false",
        row=NULLS,
    ),
    Transport(
        name="flutter 24.2.0",
        headers="""
            user-agent: com.example.shop_app/1.0.0 (Linux; U; Android 15; Google Pixel)
            x-sdk-name: Flutter
            x-sdk-platform: client
            x-sdk-language: flutter
            x-sdk-version: 24.2.0
            x-appwrite-response-format: 1.9.5
            x-appwrite-project: PROJECT
            origin: appwrite-android://com.example.shop_app
            accept-encoding: gzip
            cookie: COOKIES
            host: HOST
        """,
        get="content-type: application/json",
        query=UNINDEXED + "&total=false",
        row=NULLS,
    ),
    Transport(
        name="swift 20.1.0",
        headers="""
            x-appwrite-response-format: 1.9.5
            x-sdk-name: Swift
            x-sdk-platform: server
            x-sdk-language: swift
            x-sdk-version: 20.1.0
            X-Appwrite-Project: PROJECT
            X-Appwrite-Session: SESSION
            origin: appwrite-linux://com.example.shop
            Host: HOST
        """,
        get="content-type: application/json",
        query=(
            "queries[]=%7B%22method%22:%22equal%22,%22attribute%22:%22text%22,%22values%22:[%22a%20b%22]%7D"
            "&queries[]=%7B%22method%22:%22limit%22,%22values%22:[5]%7D&total=false"
        ),
        row=ROW,
    ),
    Transport(
        name="apple 18.2.0",
        headers=f"""
            x-appwrite-response-format: 1.9.5
            x-sdk-name: Apple
            x-sdk-platform: client
            x-sdk-language: apple
            x-sdk-version: 18.2.0
            X-Appwrite-Project: PROJECT
            origin: appwrite-ios://com.example.Shop
            user-agent: com.example.Shop/1.0 iPhone15,2 iOS/18.0
            Cookie: balancer=one; {IN_APPLE_STORE}
            Cookie: a_session_PROJECT_legacy=SESSION; {IN_APPLE_STORE}
            Cookie: a_session_PROJECT=SESSION; {IN_APPLE_STORE}; SameSite=None
            Host: HOST
        """,
        get="content-type: application/json",
        query=(
            "total=false&queries[]=%7B%22method%22:%22equal%22,%22attribute%22:%22text%22,%22values%22:[%22a%20b%22]%7D"
            "&queries[]=%7B%22method%22:%22limit%22,%22values%22:[5]%7D"
        ),
        row=ROW,
    ),
    Transport(
        name="kotlin 19.1.0",
        headers="""
            user-agent: AppwriteKotlinSDK/19.1.0 null
            x-sdk-name: Kotlin
            x-sdk-platform: server
            x-sdk-language: kotlin
            x-sdk-version: 19.1.0
            x-appwrite-response-format: 1.9.5
            x-appwrite-session: SESSION
            X-Appwrite-Project: PROJECT
            accept: application/json
            Host: HOST
            Connection: Keep-Alive
            Accept-Encoding: gzip
        """,
        get="content-type: application/json",
        body="Content-Type: application/json; charset=utf-8",
        query=UNINDEXED.replace("a+b", "a%20b") + "&total=false",
        row=ROW,
    ),
    Transport(
        name="android 25.2.0",
        headers="""
            origin: appwrite-android://com.example.shop_app
            user-agent: com.example.shop_app/1.0, Dalvik/2.1.0 (Linux; U; Android 15; Pixel Build/AP4A)
            x-sdk-name: Android
            x-sdk-platform: client
            x-sdk-language: android
            x-sdk-version: 25.2.0
            x-appwrite-response-format: 1.9.5
            X-Appwrite-Project: PROJECT
            accept: application/json
            Host: HOST
            Connection: Keep-Alive
            Accept-Encoding: gzip
            Cookie: COOKIES
        """,
        get="content-type: application/json",
        body="Content-Type: application/json; charset=utf-8",
        query=UNINDEXED.replace("a+b", "a%20b") + "&total=false",
        row=ROW,
    ),
)
