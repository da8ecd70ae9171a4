"""Good answers of many kinds: none of them is doubted."""

from __future__ import annotations

import pytest

from hybrid_mcp.domain.answer_signs import signs
from hybrid_mcp.domain.completion import Request
from tests.domain.good_answers import GOOD_ANSWERS, WITH_MORE_SENT

PYTHON = "```python\ndef add(a, b):\n    return a + b\n```"
LOREM = (
    "The water cycle describes how water moves. It evaporates from the sea, forms clouds and falls as rain. Rivers "
    "carry it back. Along the way plants drink it, animals need it, and people store it behind dams.\n\n"
)

GOOD: list[tuple[str, str]] = [
    ("What is the capital of France?", "Paris."),
    ("What is the capital of France?", "The capital of France is Paris, which lies on the Seine."),
    ("How good was the harvest?", "I cannot overstate how good it was: the barns were full by September."),
    ("I can't sleep. What can I do?", "I'm sorry to hear that you can't sleep. Try to go to bed at the same time."),
    ("Is there a bug in this loop?", "I can't see anything wrong with this code; it ends after ten rounds."),
    ("Which flights are late?", "Unfortunately, three flights are late: AB1, CD2 and EF3."),
    ("Write an apology to a customer", "I'm sorry that I cannot help you sooner. We will send a new one today."),
    ("Translate: Lo siento, no puedo ayudar", "I'm sorry, I can't help."),
    ("Write a short story", '"I\'m sorry, I cannot do that," said the robot, and closed the door.'),
    ("What does an AI researcher do?", "As an AI researcher, she reads papers and runs experiments."),
    ("Sing it", "I can't help falling in love with you."),
    ("Write a Python function that adds", PYTHON),
    ("Write a Python function that adds", "def add(a, b):\n    return a + b"),
    ("Write a Python one-liner function", "Use `lambda a, b: a + b`."),
    ("Show how Python prints", "```python\n>>> print(1)\n1\n>>> for i in x:\n...     pass\n```"),
    ("Port this to Python 3", "The old one:\n```python\nimport sys\nprint 'a'\nprint x, y\n```\nNow use print(x, y)."),
    ("What changed in this Python file?", "```diff\n-def a(:\n+def a():\n     pass\n```"),
    ("What changed in this Python file?", "```python\n-def a(:\n+def a():\n     pass\n```"),
    ("Sketch the class in Python", "```python\nclass A:\n    def run(self):\n        ...\n\n    def stop(...):\n```"),
    ("Sketch the function in Python", "```python\ndef main():\n    # your code here\n\nmain()\n```"),
    ("Fix the branch in Python", "```python\n    else:\n        x = 1\n        y = 2\n    return x\n```"),
    ("Fix the body in Python", "```python\n    x = 1\n    if x:\n        y = 2\n    return y\n```"),
    ("Decorate it in Python", "```python\n@cache\ndef f(n):\n    return n if n < 2 else f(n - 1)\n```"),
    ("Match it in Python", "```python\nimport re\n\nP = re.compile('\\d+\\w')\n\nassert P.match(\"1a\")\n```"),
    ("Call it in Python", "```python\nresult = call(\n    a,\n    b,\n)\nprint(result)\n```"),
    ("Generics in Python", "```python\ndef first[T](items: list[T]) -> T:\n    return items[0]\n\n\nfirst([1])\n```"),
    ("Format it in Python", "```python\nd = {'a': 1}\nx = 2\nprint(f\"{d[\"a\"]:>{x}} {x!r}\")\n```"),
    ("How do I run this Python file?", "```\npip install thing\npython3 run.py --fast\n```"),
    ("Why does my Python fail?", "```\nTraceback (most recent call last):\n  File \"a.py\", line 1\nimport x\n```"),
    (
        "Write a Java class",
        "```java\npublic class A {\n  int x;\n  String s = \"}\";\n  // }\n  int f() {\n    return 1;\n  }\n}\n```",
    ),
    (
        "Show the Java class",
        "```java\npublic class A {\n  int x;\n  int y;\n  // ... the rest stays\n\n  int f() {\n    return 1;\n```",
    ),
    (
        "Write a C function",
        "```c\n#include <stdio.h>\nint main(void) {\n  char c = '{';\n  printf(\"{%c\", c);\n  return 0;\n}\n```",
    ),
    ("Write a SQL query that counts users", "SELECT COUNT(*) FROM users;"),
    ("Write a bash command that lists files", "ls -la"),
    ("Write an essay about Python programs", "Programs in this language are short and clear."),
    ("Give me the person as JSON", '{"name": "Ada", "age": 36}'),
    ("Return only valid JSON with a and b", 'Here it is:\n```json\n{"a": 1, "b": [1, 2]}\n```\nAnything else?'),
    ("Output JSON", "[]"),
    ("Return JSON for each, one a line", '{"a": 1}\n{"a": 2}'),
    ("What is JSON?", "A text format for data: {key: value}."),
    ("Explain this valid JSON file", "It holds the name (a string) and the age."),
    ("What is 17*23?", "391"),
    ("Write a text to Tom that I will miss dinner", "Sorry, Tom! I can't make it to dinner tonight. Enjoy it!"),
    ("Schreib eine Nachricht an Eva, ich bin krank", "Es tut mir leid, Eva, ich kann heute leider nicht kommen."),
    ("Say for each of these if it is right", "\n".join(f"{n}. The sentence is right." for n in range(1, 11))),
    ("How many pages is a 1000-word essay?", "About two pages with single spacing."),
    ("What is the sum of every integer from 1 to 100?", "5050"),
    ("Why does this Python not run?", "The colon is not there:\n```python\nfor i in range(3) print(i)\n```"),
    ("Give me 3 ideas for a party", "# Garden\n- lamps\n- food\n\n# Beach\n- fire\n- songs\n\n# Home\n- games\n- a\n"),
    ("What is 4 * 3?", "You multiply 4 by 3, and that is twelve."),
    ("Subtract 5 from 12", "7"),
    ("Divide 9 by 2", "4.5"),
    ("Add 120 and 45 to the list", "Done: 120 and 45 are on the list."),
    ("Sort these numbers from smallest to largest: 9, 3, 12", "3, 9, 12"),
    ("Sort these numbers from smallest to largest: 9, 3, 12", "Given: 9, 3, 12. Sorted: 3, 9, 12."),
    ("Sort the numbers in descending order: 9, 3, 12", "12, 9, 3"),
    ("Sort these values by size: 9, 3, 12", "3, 9, 12"),
    ("Which is a fish? A) cow B) cod C) cat D) dog. Answer with the letter.", "B"),
    ("Which is a fish? A) cow B) cod C) cat D) dog. Answer with the letter.", "B) cod. A) is not one."),
    ("How do you say 'church' in German?", "In German, 'church' is 'Kirche'."),
    ("How do you say 'hotel' in German?", "It is the same: 'Hotel'."),
    ("What does the French word 'soleil' mean in English?", "It means 'sun'."),
    ("What does the Latin word 'aqua' mean in English?", "The Latin word 'aqua' means water."),
    ("What is 17 * 23?", "17 × 23 = 17 × 20 + 17 × 3 = 340 + 51 = 391"),
    ("What is 2 plus 2?", "Four."),
    ("Calculate 1000 * 1000", "1 000 000"),
    ("Calculate 1000 * 1000", "1.000.000"),
    ("Calculate 1000 * 1000", "That is 1 million, or 10^6."),
    ("What is 10 / 4?", "2.5"),
    ("What is 10 / 4?", "2,5"),
    ("What is 10 / 3?", "About 3.33"),
    ("What is 7 / 2?", "3 remainder 1"),
    ("What is 1/3 + 1/3?", "2/3"),
    ("12% of 250", "12% of 250 is 0.12 × 250 = 30."),
    ("What is 15 percent of 80? Answer with just the number.", "12"),
    ("What is 3 + 4 * 2?", "First 4 * 2 = 8, then 3 + 8 = 11. The answer is 11."),
    ("What is 5 - 8?", "-3"),
    ("What is 2^10?", "1024"),
    ("What is 2024-01-15?", "A Monday, the 15th day of that year."),
    ("What is 24/7?", "It means all day, all week: 24 hours on 7 days."),
    ("What is 12 * 12 in binary?", "10010000"),
    ("How much do we need?", "We need 2 * 3 + 4 = 10, so (1 + 2) * 3 = 9, and 5 + 2 * 3 = 11 metres."),
    ("How much?", "10 / 3 = 3.33, 0.1 + 0.2 = 0.3, $12 * 4 = $48, 20% * 50 = 10, 1,200 + 300 = 1,500."),
    ("What does Orwell write?", "The Party says that 2 + 2 = 5."),
    ("If 2 + 3 = 10 and 7 + 2 = 63, what is 6 + 5?", "By the pattern 6 + 5 = 66."),
    ("What time is it then?", "11:50 + 20 = 12:10, and 10 + 3 = 1 on a clock."),
    ("List 5 fruits", "1. Apple\n2. Pear\n3. Plum\n4. Fig\n5. Kiwi"),
    ("List 5 fruits", "Apple, pear, plum, fig and kiwi."),
    ("List 3 fruits with two facts each", "1. Apple\n - red\n - sweet\n2. Pear\n3. Plum"),
    ("Give me 2 reasons", "- It is cheap.\n- It is fast.\n- And a third one for free."),
    ("Name 2 cities", "Paris, France; Rome, Italy"),
    ("List at least 3 fruits", "1. Apple\n2. Pear\n3. Plum\n4. Fig"),
    ("Give me a 5 day plan", "1. Rest\n2. Run\n3. Swim"),
    ("Suggest 3 names for a cat", "How about Tom, Felix or Whiskers?"),
    ("Answer yes or no: is water wet?", "Yes, it is."),
    ("Answer yes or no: is 9 prime?", "9 is not prime."),
    ("Which is largest?\nA) 5\nB) 9\nC) 7", "B"),
    ("Which is largest?\nA) 5\nB) 9\nC) 7", "**(B)** because it is the largest"),
    ("Which city is it?\nA) Paris\nB) Rome\nC) Oslo", "It is Rome."),
    ("Rate it on a scale from 1 to 5", "4/5"),
    ("Pick a number between 1 and 10", "7"),
    ("In one word, what colour is the sky?", "Blue"),
    ("Answer in one sentence: what is rain?", "Rain is water, e.g. from clouds, that falls. Mr. Smith likes it."),
    ("Explain it in under 50 words", "It is a loop that ends when the list is empty."),
    ("Write a 100-word text", " ".join(f"word{n}" for n in range(80))),
    (
        "Translate to German: Good morning, how are you?",
        "Guten Morgen, wie geht es dir? Ich hoffe, dass es dir gut geht.",
    ),
    (
        "Antworte auf Englisch: Was ist das?",
        "This is the house that I have seen, and it is what you asked for with them.",
    ),
    ("Was ist die Hauptstadt von Frankreich?", "Die Hauptstadt von Frankreich ist Paris."),
    ("日本の首都はどこですか?教えてください。", "日本の首都は東京です。人口は約千四百万人で、世界最大級の都市です。"),
    ("请用一句话介绍北京的历史和文化特点", "北京是中国的首都,有三千多年的历史和丰富的文化遗产,故宫和长城闻名世界。"),
    ("Напиши программу, которая складывает числа", "```python\nprint(1 + 2)\n```\nПрограмма складывает два числа."),
    ("Напиши имя сервера из этого файла", "nginx-ingress-controller-internal-production.example.com"),
    (
        "What is the first line of Don Quixote in the original?",
        "En un lugar de la Mancha, de cuyo nombre no quiero acordarme, vivía un hidalgo de los de lanza y una ama",
    ),
    (
        "Summarise \"Der Hund ist nicht in dem Haus und die Katze auch nicht\"",
        "Der Hund und die Katze sind nicht in dem Haus, wie es sich für sie und die Maus auch nicht gehört.",
    ),
    ("Repeat the word hello 50 times", "hello " * 50),
    ("Draw a line", "-" * 600),
    ("Show the matrix", "0 0 0 0 0 0 0 0\n" * 40),
    ("Make a table", "| name | yes | no |\n|---|---|---|\n" + "| row | yes | no |\n" * 12),
    ("Make the markup", "```html\n" + "<li>Item</li>\n" * 30 + "```"),
    ("Write the chorus of a song", "We will never let you go tonight\n" * 8),
    ("List the steps", "\n".join(f"{n}. Open the valve number {n} and wait for a minute." for n in range(1, 30))),
    ("Explain the water cycle", LOREM),
    ("Tell me twice", LOREM * 2),
    ("Proofread: He goes to school every day.", "Proofread: He goes to school every day."),
    ("Which chat template does ChatML use?", "<|im_start|>user\nhello<|im_end|>"),
    ("What does my app print?", "It prints `[INST]` before each turn."),
    ("What is wrong with it?", "Which version do you use?"),
    ("Ask me a question about France?", "What is its capital?"),
]  # fmt: skip


@pytest.mark.parametrize(("prompt", "text"), [*GOOD, *GOOD_ANSWERS])
def test_a_good_answer_is_not_doubted(prompt: str, text: str):
    assert [sign.reason for sign in signs(Request(prompt=prompt), text)] == []


@pytest.mark.parametrize(("prompt", "context", "system_prompt", "text"), WITH_MORE_SENT)
def test_what_else_was_sent_may_ask_for_another_answer(prompt: str, context: str, system_prompt: str, text: str):
    assert [*signs(Request(prompt=prompt), text)]
    assert not [*signs(Request(prompt=prompt, context=context, system_prompt=system_prompt), text)]
    assert not [*signs(Request(prompt=prompt, stop=(";",)), text)]


def test_what_an_answer_may_hold_is_told_by_the_context_too():
    asked = Request(
        prompt="Summarise this for me please", context="Der Hund ist nicht in dem Haus, und die Katze auch."
    )
    assert not [*signs(asked, "Der Hund und die Katze sind nicht in dem Haus, wie es sich für sie auch nicht gehört.")]
