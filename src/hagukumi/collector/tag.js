/*! Hagukumi: <script async src="…/tag.js" data-consent="required" data-domain="example.co.jp"></script> */
(function(w,d,l){
var s=d.currentScript||d.querySelector('script[src*="/tag.js"]'),o=s.dataset,U=new URL(s.src).origin+'/e',D=o.domain?';domain='+o.domain:'',
N=Date.now,q=[],on,v,a,m,t0=0,ms,sent,top,told,url;
function L(x,k,f,c){x.addEventListener(k,f,c)}
function id(){return'10000000-1000-4000-8000-100000000000'.replace(/[018]/g,function(c){return(c^crypto.getRandomValues(new Uint8Array(1))[0]&15>>c/4).toString(16)})}
function get(){return(d.cookie.match(/(?:^|; )hgk=([\w-]{8,40})/)||[])[1]}
function keep(x,age){d.cookie='hgk='+x+';path=/;max-age='+age+';samesite=lax'+D+(l.protocol=='https:'?';secure':'')}
function put(k,x){if(!on)return;x=x||{};x.id=id();x.k=k;x.t=N();x.u=x.u||url;q.push(x);clearTimeout(m);m=setTimeout(out,250)}
function out(){clearTimeout(m);while(q[0]){var b=JSON.stringify({v:v,s:N(),a:a,e:q.splice(0,20)});a='';
if(!navigator.sendBeacon(U,b))fetch(U,{method:'POST',body:b,keepalive:true}).catch(function(){})}}
function tick(){if(t0)ms+=N()-t0;t0=d.hidden?0:N()}
function leave(){tick();var n=Math.round(ms/1000);if(n>sent)put('dwell',{n:n-sent});sent=n;if(top>told)put('scroll',{n:top});told=top;out()}
function view(){var h=l.href.split('#')[0],r=url||d.referrer;if(!on||url==h)return;if(url)leave();url=h;ms=sent=top=told=t0=0;tick();put('view',{ti:d.title.slice(0,300),r:r})}
function start(){if(on)return;on=1;v=get()||id().replace(/-/g,'');keep(v,34560000);
a=(l.search.match(/[?&]hgk=([\w-]+)/)||[])[1]||'';
if(a)history.replaceState(history.state,'',l.href.replace(/([?&])hgk=[\w-]+(&|(?=#)|$)/,function(x,y,z){return z?y:''}));
url='';view();frames()}
function frames(){d.querySelectorAll('[data-hagukumi-form]').forEach(function(e){if(e.firstChild)return;var f=d.createElement('iframe'),p=e.dataset;
f.src=p.hagukumiForm+'?embed=1&v='+(v||'');f.style='border:0;width:100%;height:'+(p.height||640)+'px';f.title=p.title||'Form';e.append(f)})}
w.hagukumi=function(c,x,y){if(c=='event')put('custom',{d:Object.assign({name:''+x},y)});else if(x)start();else{on=0;q=[];keep('',0)}};
['pushState','replaceState'].forEach(function(k){var f=history[k];history[k]=function(){f.apply(this,arguments);setTimeout(view,50)}});
L(w,'popstate',view);
L(w,'scroll',function(){var e=d.documentElement;top=Math.max(top,Math.min(100,Math.round((w.scrollY+w.innerHeight)/e.scrollHeight*100)))},{passive:true});
L(d,'visibilitychange',function(){if(d.hidden)leave();else tick()});
L(w,'pagehide',leave);
L(d,'click',function(e){var k=e.target.closest('a[href]');
if(k&&/^http/.test(k.href)&&/\.(pdf|zip|xlsx?|docx?|pptx?|csv|mp4|dwg|dxf|step?)([?#]|$)/i.test(k.href)){put('download',{u:k.href,ti:k.textContent.trim().slice(0,200)});out()}},true);
function go(){if(o.consent!='required'||get())start();else frames()}
if(d.prerendering)L(d,'prerenderingchange',go);else go()
})(window,document,location)
