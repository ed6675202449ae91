const assert = require('node:assert/strict');
const { after, before, test } = require('node:test');
const { UniqueConstraintError } = require('sequelize');
const { buy, openShop } = require('./shop.cjs');

const shop = openShop(process.env.SHOP_URL);
const { sequelize, Product, Order, Line } = shop;

before(() => sequelize.sync());
after(() => sequelize.close());

test('products come in by the list', async () => {
  const rows = ['a', 'b', 'c'].map((code) => ({ code, label: `Label ${code}`, stock: 5 }));
  assert.equal((await Product.bulkCreate(rows)).length, 3);
  await assert.rejects(Product.create({ code: 'a' }), UniqueConstraintError);
});

test('an order takes from the stock', async () => {
  const order = await buy(shop, 'Ada', { a: 2, b: 5 });
  assert.equal(order.id, 1);
  assert.equal((await Product.findByPk('a')).stock, 3);
  assert.deepEqual(
    (await order.getLines()).map(({ amount }) => amount),
    [2, 5],
  );
});

test('an order of too much leaves nothing', async () => {
  await assert.rejects(buy(shop, 'Grace', { a: 1, b: 1 }), /too few of b/);
  assert.equal(await Order.count(), 1);
  assert.equal((await Product.findByPk('a')).stock, 3);
});

test('a product is found or made', async () => {
  assert.equal((await Product.findOrCreate({ where: { code: 'd' }, defaults: { label: 'New' } }))[1], true);
  assert.equal(
    (await Product.findOrCreate({ where: { code: 'd' }, defaults: { label: 'Newer' } }))[1],
    false,
  );
});

test('many are changed at once, and by raw SQL', async () => {
  assert.deepEqual(await Product.update({ label: 'Sale' }, { where: { stock: 5 } }), [1]);
  await sequelize.query("UPDATE product SET label = 'Raw' WHERE code = 'd'");
  assert.equal((await Product.findByPk('d')).label, 'Raw');
});

test('an order that is deleted takes its lines along', async () => {
  await buy(shop, 'Mary', { a: 1 });
  assert.equal(await Order.destroy({ where: { customer: 'Mary' } }), 1);
  assert.equal(await Line.count(), 2);
});
