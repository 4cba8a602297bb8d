"""Presentations in the manner of several families of senders, and some that are wrong on purpose."""

NOKIA = b"""<smil><head><layout><root-layout width="176" height="208" background-color="#ffffff"/>
<region id="Image" width="160" height="120" top="0" left="8" fit="meet"/>
<region id="Text" width="160" height="68" top="140" left="8" fit="scroll"/></layout></head>
<body><par dur="5000ms"><img src="a.jpg" region="Image"/><text src="hello.txt" region="Text"/></par>
<par dur="8s"><text src="bye.txt" region="Text"/><audio src="tone.amr"/></par></body></smil>"""

ANDROID = b"""<smil><head><layout><root-layout width="100%" height="100%"/>
<region id="Image" left="0" top="0" width="100%" height="50%" fit="meet"/>
<region id="Text" left="0" top="50%" width="100%" height="50%" fit="meet"/></layout></head>
<body><par dur="5000ms"><img src="a.jpg" region="Image"/></par>
<par dur="5000ms"><text src="hello.txt" region="Text"/></par></body></smil>"""

IPHONE = b"""<smil>
<head>
<layout>
 <root-layout/>
<region id="Text" top="70%" left="0%" height="30%" width="100%" fit="scroll"/>
<region id="Image" top="0%" left="0%" height="70%" width="100%" fit="meet"/>
</layout>
</head>
<body>
<par dur="10s">
<img src="a.jpg" region="Image"/>
<text src="hello.txt" region="Text"/>
</par>
</body>
</smil>"""

ERICSSON = b"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE smil PUBLIC "-//W3C//DTD SMIL 2.0 Basic//EN" "http://www.w3.org/2001/SMIL20/SMIL20Basic.dtd">
<smil xmlns="http://www.w3.org/2001/SMIL20/Language"><head><meta name="title" content="vk"/>
<layout><root-layout width="240px" height="320px" backgroundColor="navy"/>
<region regionName="Image" left="10" right="10" top="0" height="50%"/>
<region id="Text" left="10px" width="220px" bottom="0" height="160px"
 backgroundColor="#FFF" fit="fill"/>
</layout></head>
<body><par dur="indefinite"><img src="cid:pic@x" region="Text" begin="1s" dur="2s"/>
<text src="hello.txt" region="Text" begin="0.5s"><param name="foreground-color" value="#ff8800"/></text></par>
</body></smil>"""

IN_TURN = b"""<smil><head><layout><root-layout width="320" height="240"/>
<region id="all" width="320" height="240"/></layout>
</head><body><par><seq><img src="a.jpg" region="all" dur="3s"/><img src="b.jpg" region="all"/></seq>
<text src="hello.txt" region="all" end="0:06"/></par></body></smil>"""

NO_LAYOUT = b"""<smil><body><par dur="3000ms"><text src="hello.txt"/><img src="a.jpg"/></par></body></smil>"""
NO_PAR = b"""<smil><head/><body><img src="a.jpg"/><text src="hello.txt"/></body></smil>"""
LOST_REGION = b"""<smil><head><layout><root-layout width="320" height="240"/>
<region id="Image" width="320" height="180"/>
</layout></head><body><par><img src="a.jpg" region="Image"/><text src="hello.txt" region="Txt"/></par></body></smil>"""
LOST_PART = b"""<smil><body><par dur="4s"><img src="gone.jpg"/><text src="hello.txt"/></par></body></smil>"""
OFF_STAGE = b"""<smil><head><layout><root-layout width="320" height="240"/>
<region id="Image" left="900" width="10" height="10"/>
</layout></head><body><par><img src="a.jpg" region="Image"/></par></body></smil>"""
ODD_TIMES = b"""<smil><body><par dur="soon"><img src="a.jpg" begin="-2s" end="later"/></par><par dur="99999h">
<text src="hello.txt"/></par><par/></body></smil>"""
EMPTY = b"<smil><head/><body/></smil>"
CUT = NOKIA[:200]
ENTITIES = b'<!DOCTYPE smil [<!ENTITY a "b">]><smil><body><par><text src="&a;"/></par></body></smil>'
HOSTILE = b"""<smil><head><layout><root-layout width="320" height="240" background-color="url(javascript:boom())"/>
<region id="&quot;&gt;&lt;script&gt;boom()&lt;/script&gt;" width="320" height="240"
 z-index="1e9" fit="expression(boom())"/>
</layout></head>
<body onload="boom()"><par dur="5s"><img src="javascript:boom()" alt="&lt;img src=x onerror=boom()&gt;"
 region="&quot;&gt;&lt;script&gt;boom()&lt;/script&gt;"/><img src="http://192.0.2.1/x.png" region="x"/>
<ref src="page.html" region="x"/><ref src="&lt;img src=x onerror=boom()&gt;.txt"
 region="&quot;&gt;&lt;script&gt;boom()&lt;/script&gt;"/></par>
<script>boom()</script></body></smil>"""
MANY = b"<smil><body>" + b"<!--" + b"<par>" * 10_000 + b"-->" + b"<par><text src='hello.txt'/></par></body></smil>"
