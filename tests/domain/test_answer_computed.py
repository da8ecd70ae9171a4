"""What can be worked out of a short prompt: a wrong answer is doubted, and no good one."""

from __future__ import annotations

import pytest

from hybrid_mcp.domain.answer_signs import signs
from hybrid_mcp.domain.completion import Request
from tests.domain.good_computed import GOOD_COMPUTED

AMOUNT = "it does not come to the amount that was to be converted"
UNIT = "it says of the wrong one of two units that it is the one"
FORM = "it does not hold the number in the form that was asked for"
RESULT = "it does not hold the result of the operation that was asked for"
EDIT = "it does not hold what was to be made of the text"
NEXT = "it does not hold the next number, the day, date or time that was asked for"
TRUTH = "what it says of the prompt's numbers is not true"
ORDER = "the list is not in the order that was asked for"

DOUBTFUL: dict[str, list[tuple[str, ...]]] = {
    AMOUNT: [
        ("How many centimeters are in 2.5 meters?", "25", "2500 cm", "It is 2.5 meters."),
        ("1 metre is how many centimetres?", "1 metre is approximately 1.008337 meters."),
        ("What's 100 °C in Fahrenheit?", "900 degrees", "It is hot."),
        ("Convert 5 miles to kilometers.", "5 miles is 3.1 km", "fifty"),
        ("How many bytes is one kibibyte?", "1000", "8.34"),
        ("Could you tell me how many seconds are in a day? Just the number.", "3600", "twenty-four thousand"),
        ("At a rate of 1 euro = 1.10 dollars, how many dollars do I get for 200 euros?", "200 dollars", "$180"),
        ("A bottle holds 750 ml. How many litres is that?", "7.5 litres", "750"),
        ("How many minutes are in three quarters of an hour?", "75", "Thirty."),
        ("one hectare = ? square metres", "100", "1.0986"),
        ("What is 70 kg in pounds?", "70 kg is 32 pounds"),
        ("How many months are there in 3 years?", "30 months"),
    ],
    UNIT: [
        (
            "Which lasts longer, a decade or a century?",
            "A decade is a longer unit of time than a century.",
            "A decade.",
        ),
        ("Which is heavier, a pound or a kilogram?", "The pound.", "A pound is much heavier than a kilogram."),
    ],
    FORM: [
        ("What is 10 in binary?", "1100", "10", "It is ten."),
        ("hex FF to decimal", "FF is 15.", "Use the `int` function with base 16."),
        ("octal 17 = decimal ?", "The answer is yes.", "17"),
        ("write 9 in roman numerals", "XLX", "VIIII", "9"),
        ("Roman numeral XIV as an ordinary number?", "The numeral XV is 15.", "XIV"),
        ("Write 0.35 as a percentage.", "0.35%", "3.5%"),
        ("What is 0.75 as a fraction?", "7/5", "0.75"),
        ("Simplify the ratio 12:18.", "1:12", "12:18"),
        ("What is 7:45 pm in 24-hour time?", "7:45", "17:45"),
        ("What is 19:30 in 12-hour format?", "9:30 pm"),
        ("quarter to four in the afternoon in 24-hour format", "2:45 PM", "16:15"),
        ("Write the number 42 in words.", "42", "forty"),
        ("Write twenty-seven as a number", "twenty-seven", "20"),
    ],
    RESULT: [
        ("square root of 81?", "It is 3.", "81"),
        ("2 to the power of 10 equals?", "The answer is 10.", "100"),
        ("average of 4, 10 and 16", "The sum is 30.", "thirty"),
        ("What is the median of 12, 3, 8, 20, 5?", "The middle value is 20."),
        ("Three quarters of 60 is what?", "20", "80"),
        ("gcd(84, 126)", "It returns the greatest common divisor.", "21"),
        ("If x + 9 = 21, x is", "x + 9 = 21", "30"),
        ("1/2 + 1/4 as a fraction", "5/8", "2/6"),
        ("A shirt costs $40 and is 25% off. What's the sale price?", "$10", "$15"),
        ("From 80 to 100: what is the percentage increase?", "100% / 80% = 100%", "20%"),
        ("What is the area of a circle with radius 5 cm?", "10π", "31.4"),
        ("Round 3.678 to one decimal place", "3.678", "3.6"),
        ("What is 7 factorial?", "49", "720"),
        ("There are 12 boxes with 22 eggs in each. How many eggs are there in all?", "240", "34"),
    ],
    EDIT: [
        ("Replace every 'a' with 'o' in the word 'banana'.", "Banana is a fruit.", "bonana"),
        ("Remove the word 'very' from this sentence and return it: It is a very cold day.", "It is a very cold day."),
        ("Delete all the digits: a1b22c3", "A1b2c3.", "123"),
        ("Join these words with hyphens: state of the art", "state of the art", "state-of the art"),
        ("Here are three names: Omar, Jill, Petra. Give back only the second.", "Omar, Jill, Petra.", "Petra"),
        ("Put square brackets around the word quiet and write nothing else.", "quiet", "(quiet)"),
        ("Rewrite 'first name' in snake_case.", "firstName", "first name"),
        ("camelCase version of: total order price", "TotalOrderPrice", "total_order_price"),
        ("How many vowels are in the word 'education'?", "Three", "9"),
        ("What is the last letter of 'python'?", "o", "y"),
        ("what letter comes after Q in the alphabet", "The letter Q in the alphabet is Q.", "P"),
        ("Reverse the order of this list: red, green, blue", "red, blue, green"),
        ("What are the initials of Ada Lovelace?", "AB", "Ada Lovelace"),
        ("Repeat the word 'go' three times.", "go go"),
    ],
    NEXT: [
        ("What is the next number in the sequence 2, 4, 6, 8?", "12", "2, 4, 6, 8"),
        ("2, 6, 12, 20, 30, __", "The answer is 2, 6, 12, 20, 30.", "40"),
        ("What comes next in the series: A, C, E, G?", "H", "G"),
        ("Fill in the missing number: 5, 10, __, 20, 25", "12", "10"),
        ("If today is Wednesday, what day will it be in 10 days?", "Wednesday", "Friday"),
        ("If yesterday was Monday, what day is tomorrow?", "Tuesday"),
        ("How many days are there in April?", "There are 12 months.", "31"),
        ("Convert the date 31/12/1999 (day/month/year) to ISO 8601.", "31-12-1999", "2019-12-31"),
        ("The film starts at 7:15 pm and runs for 2 hours 10 minutes. When does it end?", "10:15 pm", "9:15"),
        ("A train leaves at 08:50 and arrives at 11:20. How long is the trip in minutes?", "11.20 minutes", "200"),
        ("What time is it 3 hours after 10:30?", "12:30", "7:30"),
        ("What month comes after August?", "July", "August"),
        ("Is 2024 a leap year?", "No, 2024 is not a leap year."),
    ],
    TRUTH: [
        ("Is 17 a prime number? Answer yes or no.", "No, 17 is not a prime number.", "False"),
        ("Is 91 prime?", "Yes, 91 is prime."),
        ("Is 24 even or odd?", "24 is an odd number.", "Odd"),
        ("Is 91 divisible by 7?", "No."),
        ("Is 0.5 greater than 0.25?", "No, 0.5 is not greater than 0.25."),
        ("If the number 14 is even, reply BLUE, otherwise reply RED.", "RED", "The number 14 is odd."),
        ("Which number is bigger: 0.5 or 0.45?", "0.45", "0.45 is the bigger number."),
        ("Which is larger, 2/3 or 3/5?", "3/5", "It is 3/5."),
        ("largest of these? 17, 71, 7, 70", "70", "The largest of these is 17."),
        ("Is 16 a perfect square?", "No"),
    ],
    ORDER: [
        ("Sort ascending: 9, 2, 5", "The answer is 9.", "9, 5, 2"),
        ("Sort descending: -3, 0, -10, 4", "4, 0, -10, -3", "4"),
        ("Alphabetical order please: pear, apple, mango", "apple, pear, mango", "PEG, AMG"),
        ("Sort these dates oldest first: 2021-05-03, 2019-12-31, 2020-01-15", "2021-05-03, 2019-12-31, 2020-01-15"),
        (
            "Sort by length, shortest word first: umbrella, cat, house",
            "house is the shortest word",
            "cat, umbrella, house",
        ),
        ("In reverse alphabetical order: ant, bee, cat", "ant, bee, cat"),
    ],
}
WRONG = [(row[0], text, reason) for reason, rows in DOUBTFUL.items() for row in rows for text in row[1:]]


def reasons(prompt: str, text: str) -> list[str]:
    return [sign.reason for sign in signs(Request(prompt=prompt), text)]


@pytest.mark.parametrize(("prompt", "text"), GOOD_COMPUTED)
def test_a_good_answer_to_what_is_worked_out_is_not_doubted(prompt: str, text: str):
    assert reasons(prompt, text) == []


@pytest.mark.parametrize(("prompt", "text", "reason"), WRONG)
def test_a_wrong_answer_to_what_is_worked_out_is_doubted(prompt: str, text: str, reason: str):
    assert reason in reasons(prompt, text)


@pytest.mark.parametrize(("prompt", "text", "_reason"), WRONG)
def test_with_more_sent_nothing_is_worked_out(prompt: str, text: str, _reason: str):
    told = {sign.reason for sign in signs(Request(prompt=prompt, context="It is another matter here."), text)}
    assert not told.intersection(DOUBTFUL)
