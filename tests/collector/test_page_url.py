"""Which part of an address is kept: the page's name, and nothing that names or lets in a person."""

import pytest

from hagukumi.collector import page_url, wire

SITE = "https://www.aoba.example.co.jp"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("/", "/"),
        ("/products?id=12&color=red", "/products?id=12&color=red"),
        ("/products?utm_source=mail&id=12&gclid=x&hgk=abc", "/products?id=12"),
        ("/products?utm_source=mail", "/products"),
        ("/products#specs", "/products"),
        ("/thanks?email=taro%40example.co.jp&id=3", "/thanks?id=3"),
        ("/thanks?E-Mail=taro@example.co.jp", "/thanks"),
        ("/reset?token=s3cret", "/reset"),
        ("/reset?resetToken=s3cret&step=2", "/reset?step=2"),
        ("/reset?reset_token=s3cret", "/reset"),
        ("/reset?user%5Bpassword%5D=s3cret", "/reset"),
        ("/reset?access-token=s3cret&api_key=k&sid=9", "/reset"),
        ("/shop?first_name=%E5%A4%AA%E9%83%8E&tel=0312345678&size=3", "/shop?size=3"),
        ("/search?q=taro@example.co.jp", "/search"),
        ("/search?q=taro%40example.co.jp&page=2", "/search?page=2"),
        ("/unsubscribe/taro@example.co.jp/done", "/unsubscribe/-/done"),
        ("/shop;jsessionid=0A1B?id=4", "/shop?id=4"),
        ("/tokens?list=1", "/tokens?list=1"),
        ("/search?keyword=pump&tokens=3", "/search?keyword=pump&tokens=3"),
        ("/search?token", "/search?token"),
        ("/app#/pricing", "/app#/pricing"),
        ("/app#!/pricing?plan=2&token=s3cret", "/app#!/pricing?plan=2"),
        ("/app?email=a@example.com#/login?email=b@example.com", "/app#/login"),
        ("/callback#access_token=s3cret", "/callback"),
        ("/maps/@35.6,139.7,17z", "/maps/@35.6,139.7,17z"),
    ],
)
def test_what_is_kept(given, kept):
    assert page_url.clean(SITE + given) == SITE + kept


def test_a_name_and_password_before_the_host_go():
    assert page_url.clean("https://taro:s3cret@example.co.jp/a?b=1") == "https://example.co.jp/a?b=1"


def test_a_company_may_name_more():
    also = page_url.words("member, Card_No")
    assert page_url.clean(f"{SITE}/a?member=12&card_no=3&id=4", also) == f"{SITE}/a?id=4"
    assert page_url.clean(f"{SITE}/a?member=12") == f"{SITE}/a?member=12"


def test_a_long_address_is_cut_between_characters():
    kept = page_url.clean(f"{SITE}/" + "あ" * 1_000)
    assert len(kept.encode()) <= wire.MAX_URL_BYTES
    assert kept.endswith("あ")
